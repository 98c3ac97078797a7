import { X509Certificate } from 'node:crypto'
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import type { Logger } from '../engine/context.ts'
import { readCertificate, type Tls } from './env.ts'

/**
 * Reads the certificate and its key again on SIGHUP; new connections get the new one. Files that cannot be used are logged, and the old certificate
 * stays. In a terminal, SIGHUP means that the window was closed, so there it ends the server as it ends any program.
 */
export function reloadCertificateOnSighup(server: Server, files: Tls['files'] | undefined, log: Logger): void {
  if (process.stdin.isTTY) return
  process.on('SIGHUP', () => {
    if (files === undefined || !(server instanceof TlsServer)) {
      log.info({}, 'SIGHUP does nothing here: there is no certificate to reload (SEALWAX_TLS_CERT)')
      return
    }
    const problems: string[] = []
    const warnings: string[] = []
    const tls = readCertificate(files, problems, warnings)
    for (const warning of warnings) log.warn({}, warning)
    if (tls === undefined) return log.error({ problems }, `the certificate is not reloaded: ${problems.join('; ')}`)
    server.setSecureContext({ cert: tls.cert, key: tls.key })
    log.info({ valid_until: new X509Certificate(tls.cert).validToDate.toISOString() }, 'certificate reloaded')
  })
}
