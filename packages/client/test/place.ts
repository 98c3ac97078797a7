import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type GuardError, refusalAnswer } from '@sealwax/guard'
import { type AuthOptions, type AuthServer, createAuth, type MailMessage } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'
import { type Client, type ClientOptions, createClient } from '../src/index.ts'
import { type FaultyProxy, startProxy } from './faulty-proxy.ts'

export const ADA = { email: 'ada@example.com', password: 'correct horse battery staple' }
export const GRACE = { email: 'grace@example.com', password: 'lantern over quiet harbour' }
export const MINUTE = 60_000

/** An auth server and an API, behind a proxy. */
export interface Place extends AsyncDisposable {
  readonly auth: AuthServer
  readonly proxy: FaultyProxy
  /** The public address, which is that of the proxy. */
  readonly url: string
  /** The same without the proxy: another origin. */
  readonly otherOrigin: string
  /** The mails that were sent. */
  readonly mails: MailMessage[]
  /** The clock of the server. */
  readonly clock: { ahead: number }
  /** Creates a client that is closed with the place. */
  client(options?: Partial<ClientOptions>): Client
  /** The paths that the proxy has seen, without queries. */
  paths(): string[]
}

/** Starts everything, with the users Ada and Grace. */
export async function startPlace(options: Partial<AuthOptions> = {}): Promise<Place> {
  let port = 0
  const clock = { ahead: 0 }
  const proxy = await startProxy(() => port)
  const clients: Client[] = []
  const mails: MailMessage[] = []
  const auth = await createAuth({
    ...{ issuer: proxy.url, audience: 'api', secret: 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3' },
    ...{ store: sqliteStore(':memory:'), now: () => Date.now() + clock.ahead },
    mail: async (message) => void mails.push(message),
    ...options,
  })
  for (const user of [ADA, GRACE]) await auth.users.create(user)
  const handler = toNodeHandler(auth)
  const server = createServer((request, response) =>
    handler(request, response, () => {
      answer(auth, request, response).catch(() => response.destroy())
    }),
  )
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  port = (server.address() as AddressInfo).port
  const place: Place = {
    ...{ auth, proxy, mails, url: proxy.url, otherOrigin: `http://127.0.0.1:${port}`, clock },
    client(given = {}) {
      const client = createClient({ baseUrl: proxy.url, ...given })
      clients.push(client)
      return client
    },
    paths: () => proxy.seen.map(({ path }) => path.split('?')[0] as string),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close()
      await proxy[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
      await auth.close()
    },
  }
  return place
}

/** The API: what it got, for users only. */
async function answer(auth: AuthServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request)
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://api')
  if (pathname === '/api/redirect') {
    response.writeHead(302, { Location: searchParams.get('to') ?? '' }).end()
    return
  }
  try {
    const { subject, roles } = await auth.guard.authenticate(request)
    if (pathname === '/api/slow') return await trickle(response)
    const got = {
      subject,
      roles,
      method: request.method,
      type: request.headers['content-type'],
      body: body.toString('latin1'),
    }
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(got))
  } catch (error) {
    const { status, headers, body: text } = refusalAnswer(error as GuardError)
    response.writeHead(status, headers).end(text)
  }
}

async function trickle(response: ServerResponse): Promise<void> {
  for (const part of ['one ', 'two ', 'three']) {
    response.write(part)
    await delay(20)
  }
  response.end()
}

/** Milliseconds by which the monotonic clock of this process was moved. */
let moved = 0
const { now } = performance
performance.now = () => now.call(performance) + moved

/** Moves the monotonic clock of this process. */
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
