/** What nodemailer tells about an error. */
interface SmtpError {
  readonly code?: unknown
  readonly responseCode?: unknown
  readonly command?: unknown
  readonly permanent?: unknown
  readonly reason?: unknown
}

/** Why a mail was not sent. */
interface Failure {
  /** Whether another attempt would fail in the same way. */
  readonly permanent: boolean
  /** For the log and the audit log. Without the text of the server, which repeats addresses. */
  readonly fields: Readonly<Record<string, string | number>>
}

/** Commands whose refusal is about this mail, and not about the settings of this server. */
const ABOUT_THE_MAIL = ['RCPT TO', 'DATA']

/** Returns why a mail was not sent. */
export function describeFailure(error: unknown): Failure {
  const { code, responseCode, command, permanent, reason } = (error ?? {}) as SmtpError
  const refused = typeof responseCode === 'number' && responseCode >= 500 && ABOUT_THE_MAIL.includes(String(command))
  return {
    permanent: permanent === true || refused,
    fields: {
      ...(typeof code === 'string' && /^[\w-]{1,64}$/.test(code) && { error: code }),
      ...(typeof responseCode === 'number' && { smtp: responseCode }),
      ...(typeof reason === 'string' && permanent === true && { error: reason }),
    },
  }
}
