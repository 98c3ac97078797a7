import { type Logger, pino } from 'pino'

/**
 * JSON lines on standard output. No line is given a secret in the first place; the redaction is the second net,
 * for members with the names that secrets have.
 */
export function createLogger(level: string): Logger {
  const names = ['password', 'secret', 'authorization', 'cookie', 'access_token', 'refresh_token', 'token']
  return pino({
    level,
    base: null,
    redact: { paths: names.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
  })
}
