import { createServer } from 'node:http'
import { flushCompileCache } from 'node:module'
import { json } from 'node:stream/consumers'
import { createLogger } from '../src/cli/logger.ts'
import { readEnvironment } from '../src/cli/settings.ts'
import { storeOf } from '../src/cli/store.ts'
import { toNodeHandler } from '../src/http/node.ts'
import { createAuth } from '../src/index.ts'

/**
 * An application that embeds Sealwax. In addition to the routes of Sealwax it has two for tests:
 * one starts a session without the work of a password, the other sets the clock of this process.
 * The argument is how far ahead the clock is at the start, in milliseconds.
 */
async function main(): Promise<void> {
  const { auth: options, databaseUrl, host, port, logLevel } = readEnvironment()
  let offset = Number(process.argv[2] ?? 0)
  const wallClock = Date.now
  // The whole process sees the clock that was set, as if NTP had set it. Monotonic clocks are not
  // affected.
  Date.now = () => wallClock() + offset
  const auth = await createAuth({ ...options, store: await storeOf(databaseUrl), logger: createLogger(logLevel) })
  const handler = toNodeHandler(auth)
  const own: Record<string, (body: never) => Promise<object>> = {
    '/torture/sessions': ({ subject, userAgent }: { subject: string; userAgent: string }) =>
      auth.sessions.create({ subject, client: { userAgent } }),
    '/torture/clock': async (body: { offset: number }) => {
      offset = body.offset
      return { offset }
    },
  }
  const server = createServer((request, response) => {
    handler(request, response, () => {
      const run = own[request.url ?? '']
      const answered = run === undefined ? Promise.reject(new Error('no such path')) : json(request).then(run as never)
      answered.then(
        (body) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body)),
        (error) => response.writeHead(error?.status ?? 404, { 'Retry-After': '1' }).end(),
      )
    })
  })
  server.listen(port, host)
  // This process will be killed, so it cannot write the cache when it ends.
  flushCompileCache()
}

await main()
