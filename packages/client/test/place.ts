import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { AuthOptions, AuthServer, MailMessage } from 'sealwax'
import { type Client, type ClientOptions, createClient } from '../src/index.ts'
import type { WorkerCall, WorkerInput } from './auth-worker.ts'
import { type FaultyProxy, startProxy } from './faulty-proxy.ts'

export const ADA = { email: 'ada@example.com', password: 'correct horse battery staple' }
export const GRACE = { email: 'grace@example.com', password: 'lantern over quiet harbour' }
export const MINUTE = 60_000

/** What tests call on the server itself. */
type Auth = Pick<AuthServer, 'users' | 'sessions' | 'audit'>

/** An auth server and an API, behind a proxy. */
export interface Place extends AsyncDisposable {
  readonly auth: Auth
  readonly proxy: FaultyProxy
  /** The public address, which is that of the proxy. */
  readonly url: string
  /** The same without the proxy: another origin. */
  readonly otherOrigin: string
  /** The mails that were sent. */
  readonly mails: MailMessage[]
  /** The clock of the server. */
  readonly clock: { ahead: number }
  /**
   * Moves both clocks, as if the machine had been asleep. First waits for requests of clients that
   * have just heard of a log-in: a refresh that takes 20 minutes is refused, and rightly so.
   */
  pass(milliseconds: number): Promise<void>
  /** Creates a client. */
  client(options?: Partial<ClientOptions>): Client
  /** Closes all clients, so that they do not hear what later ones say. */
  closeClients(): void
  /** The paths that the proxy has seen, without queries. */
  paths(): string[]
}

/** Starts everything, with the users Ada and Grace. */
export async function startPlace(options: Partial<AuthOptions> = {}): Promise<Place> {
  let port = 0
  const proxy = await startProxy(() => port)
  const clients: Client[] = []
  const server = await startServer(proxy.url, options)
  port = server.port
  for (const user of [ADA, GRACE]) await server.auth.users.create(user)
  const closeClients = () => {
    for (const client of clients.splice(0)) client.close()
  }
  return {
    ...{ auth: server.auth, mails: server.mails, clock: server.clock },
    ...{ proxy, url: proxy.url, otherOrigin: `http://127.0.0.1:${port}` },
    async pass(milliseconds) {
      for (let before = -1; before !== proxy.seen.length || proxy.open > 0; ) {
        before = proxy.seen.length
        await delay(20)
      }
      server.clock.ahead += milliseconds
      moveClock(milliseconds)
    },
    client(given = {}) {
      const client = createClient({ baseUrl: proxy.url, ...given })
      clients.push(client)
      return client
    },
    closeClients,
    paths: () => proxy.seen.map(({ path }) => path.split('?')[0] as string),
    async [Symbol.asyncDispose]() {
      closeClients()
      await proxy[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

/** In a thread, so that the clocks of client and server can be moved separately. */
async function startServer(issuer: string, options: Partial<AuthOptions>) {
  const ahead = new Float64Array(new SharedArrayBuffer(8))
  const workerData: WorkerInput = { issuer, options, ahead }
  const worker = new Worker(new URL('auth-worker.ts', import.meta.url), { workerData })
  const mails: MailMessage[] = []
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('error', reject)
    worker.on('message', ({ port: opened, mail, id, value, error }) => {
      if (opened !== undefined) resolve(opened)
      else if (mail !== undefined) mails.push(mail)
      else if (error === undefined) calls.get(id)?.resolve(value)
      else calls.get(id)?.reject(new Error(error))
    })
  })
  const group = (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          (...given: unknown[]) =>
            new Promise((resolve, reject) => {
              const call: WorkerCall = { id: calls.size, group: name, method, given }
              calls.set(call.id, { resolve, reject })
              worker.postMessage(call)
            }),
      },
    )
  return {
    ...{ port, mails },
    auth: { users: group('users'), sessions: group('sessions'), audit: group('audit') } as Auth,
    clock: {
      get ahead() {
        return ahead[0] as number
      },
      set ahead(milliseconds) {
        ahead[0] = milliseconds
      },
    },
    stop: () => worker.terminate(),
  }
}

/** Milliseconds by which the monotonic clock of this thread was moved. */
let moved = 0
const { now } = performance
performance.now = () => now.call(performance) + moved

/** Moves the monotonic clock of the clients. */
export function moveClock(milliseconds: number): void {
  moved += milliseconds
}

/** The code with which a promise rejects. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** Waits until something is true, at most 5 seconds. */
export async function until(condition: () => unknown): Promise<void> {
  for (let attempts = 0; !(await condition()); attempts += 1) {
    if (attempts > 250) throw new Error(`never: ${condition}`)
    await delay(20)
  }
}
