// The auth server and the API, in a thread with clocks of its own. place.ts starts it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type GuardError, refusalAnswer } from '@sealwax/guard'
import { type AuthOptions, createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

/** What the thread is started with. */
export interface WorkerInput {
  readonly issuer: string
  readonly options: Partial<AuthOptions>
  /** Its only number is by how many milliseconds the clock is ahead. */
  readonly ahead: Float64Array
}

/** A call of a method of the auth server, such as `users.create`. */
export interface WorkerCall {
  readonly id: number
  readonly group: string
  readonly method: string
  readonly given: readonly unknown[]
}

const { issuer, options, ahead } = workerData as WorkerInput
const auth = await createAuth({
  ...{ issuer, audience: 'api', secret: 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3' },
  ...{ store: sqliteStore(':memory:'), now: () => Date.now() + (ahead[0] ?? 0) },
  mail: async (mail) => parentPort?.postMessage({ mail }),
  ...options,
})
const handler = toNodeHandler(auth)
const server = createServer((request, response) =>
  handler(request, response, () => {
    answer(request, response).catch(() => response.destroy())
  }),
)
server.listen(0, '127.0.0.1', () => parentPort?.postMessage({ port: (server.address() as AddressInfo).port }))

parentPort?.on('message', ({ id, group, method, given }: WorkerCall) => {
  const api = auth as unknown as Record<string, Record<string, (...given: readonly unknown[]) => Promise<unknown>>>
  void Promise.resolve(api[group]?.[method]?.(...given))
    .then((value) => ({ id, value }))
    .catch((error) => ({ id, error: String(error) }))
    .then((result) => parentPort?.postMessage(result))
})

/** The API: what it got, for users only. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request)
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://api')
  if (pathname === '/api/redirect') {
    response.writeHead(302, { Location: searchParams.get('to') ?? '' }).end()
    return
  }
  try {
    const { subject, roles } = await auth.guard.authenticate(request)
    if (pathname === '/api/slow') return await trickle(response)
    const { method, headers } = request
    const got = { subject, roles, method, type: headers['content-type'], body: body.toString('latin1') }
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
