import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAuth } from '../auth.ts'
import type { AuthServer } from '../auth-server.ts'
import { toNodeHandler } from '../http/node.ts'
import { reloadCertificateOnSighup } from './certificate.ts'
import type { Environment } from './env.ts'
import { createLimitedServer } from './limits.ts'
import { createLogger } from './logger.ts'
import { storeOf } from './store.ts'
import { letEventLoopGoFirst } from './thread-priority.ts'
import { warmUp } from './warm-up.ts'

/** How long requests under way may take after SIGTERM. */
const GRACE_MS = 10_000

/** Starts the auth server; resolves when it listens. SIGTERM and SIGINT let requests finish, then close the store. */
export async function serve(environment: Environment): Promise<void> {
  const { host, port, tls } = environment
  const log = createLogger(environment.logLevel)
  for (const warning of environment.warnings) log.warn(warning)
  await letEventLoopGoFirst().catch((err) => log.warn({ err }, 'password checks keep the priority of the event loop'))
  await warmUp().catch((err) => log.warn({ err }, 'the first requests will take longer'))
  const auth = await createAuth({
    ...environment.auth,
    store: storeOf(environment.databaseUrl, environment.databaseConnections),
    logger: log,
    onEvent: ({ type, time, ...event }) => log.info({ event: type, ...event }, 'audit'),
  })
  const handler = toNodeHandler(auth, { overrideGlobalObjects: true })
  const server = createLimitedServer(handler, { tls, issuer: environment.auth.issuer })
  try {
    await listen(server, host, port)
  } catch (error) {
    await auth.close()
    throw error
  }
  const address = server.address() as AddressInfo
  const scheme = tls === undefined ? 'http' : 'https'
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address
  reloadCertificateOnSighup(server, tls?.files, log)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'shutting down')
      void shutdown(server, auth).then((clean) => {
        log.info({ clean }, 'stopped')
        process.exitCode = clean ? 0 : 1
      })
    })
  }
  // Last: whoever reads this line may send a signal at once.
  log.info({ url: `${scheme}://${shownHost}:${address.port}`, issuer: environment.auth.issuer }, 'listening')
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** False when requests had to be cut off. */
async function shutdown(server: Server, auth: AuthServer): Promise<boolean> {
  let clean = true
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection whose last reply went out after the signal would stay open until its keep-alive ends.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const cut = setTimeout(() => {
    clean = false
    server.closeAllConnections()
  }, GRACE_MS)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
  await auth.close()
  return clean
}
