/** A logger, compatible with pino. */
export interface Logger {
  /** Logs details of a request. */
  debug(fields: object, message: string): void
  /** Logs normal operation. */
  info(fields: object, message: string): void
  /** Logs that something works but needs attention. */
  warn(fields: object, message: string): void
  /** Logs failures. */
  error(fields: object, message: string): void
}
