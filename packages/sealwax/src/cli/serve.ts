import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AuthServer } from '../auth-server.ts'
import type { Logger } from '../core/logger.ts'
import { createAuth } from '../create-auth.ts'
import { eventBody } from '../http/audit-routes.ts'
import { toNodeHandler } from '../http/node.ts'
import { reloadCertificateOnSighup } from './certificate.ts'
import { watchConnections } from './connections.ts'
import { createLimitedServer } from './limits.ts'
import { createLogger } from './logger.ts'
import type { Environment } from './settings.ts'
import { endOnSignal } from './shutdown.ts'
import { startPatiently } from './start.ts'
import { storeOf } from './store.ts'
import { letEventLoopGoFirst } from './thread-priority.ts'
import { warmUp } from './warm-up.ts'

/** Starts the auth server; resolves when it listens. SIGTERM and SIGINT end it gracefully. */
export async function serve(environment: Environment): Promise<void> {
  const { host, port, tls, keepAlive } = environment
  const log = createLogger(environment.logLevel)
  const started = endOnSignal(log)
  for (const warning of environment.warnings) log.warn(warning)
  await letEventLoopGoFirst().catch((err) => log.warn({ err }, 'password checks run at the priority of the event loop'))
  await warmUp().catch((err) => log.warn({ err }, 'the first requests will be slower'))
  const auth = await startPatiently(() => openAuth(environment, log), {
    databaseUrl: environment.databaseUrl,
    timeout: environment.startTimeout,
    log,
  })
  const handler = toNodeHandler(auth, { overrideGlobalObjects: true })
  const server = createLimitedServer(handler, { tls, keepAlive, issuer: environment.auth.issuer })
  const connections = watchConnections(server)
  try {
    await listen(server, host, port)
  } catch (error) {
    await auth.close()
    throw error
  }
  started({ server, connections, auth })
  const address = server.address() as AddressInfo
  const scheme = tls === undefined ? 'http' : 'https'
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address
  reloadCertificateOnSighup(server, tls?.files, log)
  // Last: a reader of this line may send a signal immediately.
  log.info({ url: `${scheme}://${shownHost}:${address.port}`, issuer: environment.auth.issuer }, 'listening')
}

async function openAuth(environment: Environment, log: Logger): Promise<AuthServer> {
  return createAuth({
    ...environment.auth,
    store: await storeOf(environment.databaseUrl, environment.databaseConnections),
    logger: log,
    onEvent: ({ type, time, ...event }) => log.info({ event: type, ...eventBody(event) }, 'audit'),
  })
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
