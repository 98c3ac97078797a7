import { X509Certificate } from 'node:crypto'
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import type { Logger } from '../core/logger.ts'
import { readCertificate, type Tls } from './settings.ts'

/**
 * Reloads the certificate and its key on SIGHUP, for new connections. If the files are invalid,
 * logs an error and keeps the old certificate. In a terminal, SIGHUP means that the window was
 * closed, so there it ends the server.
 */
export function reloadCertificateOnSighup(server: Server, files: Tls['files'] | undefined, log: Logger): void {
  if (process.stdin.isTTY) return
  process.on('SIGHUP', () => {
    if (files === undefined || !(server instanceof TlsServer)) {
      log.info({}, 'SIGHUP ignored: there is no certificate to reload (SEALWAX_TLS_CERT)')
      return
    }
    const problems: string[] = []
    const warnings: string[] = []
    const tls = readCertificate(files, problems, warnings)
    for (const warning of warnings) log.warn({}, warning)
    if (tls === undefined) return log.error({ problems }, `the certificate was not reloaded: ${problems.join('; ')}`)
    server.setSecureContext({ cert: tls.cert, key: tls.key })
    log.info({ valid_until: new X509Certificate(tls.cert).validToDate.toISOString() }, 'certificate reloaded')
  })
}
