import { type Logger, pino } from 'pino'

/**
 * Logs JSON lines to standard output. Log calls never include secrets; the redaction of members
 * with typical names of secrets is a safety net.
 */
export function createLogger(level: string): Logger {
  const names = ['password', 'secret', 'authorization', 'cookie', 'access_token', 'refresh_token', 'token']
  return pino({
    level,
    base: null,
    redact: { paths: names.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
  })
}
