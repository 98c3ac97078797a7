import type { SmtpServer } from './smtp-url.ts'

/** What nodemailer tells about an error. */
interface SmtpError {
  readonly code?: unknown
  readonly responseCode?: unknown
  readonly response?: unknown
  readonly command?: unknown
  readonly permanent?: unknown
  readonly reason?: unknown
  readonly message?: unknown
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
  const { code, responseCode, command, permanent, reason } = toSmtpError(error)
  return {
    // For nodemailer, a wrong password or sender is permanent, too. An operator can correct these.
    permanent:
      typeof responseCode === 'number'
        ? responseCode >= 500 && ABOUT_THE_MAIL.includes(String(command))
        : permanent === true,
    fields: {
      ...(typeof code === 'string' && /^[\w-]{1,64}$/.test(code) && { error: code }),
      ...(typeof responseCode === 'number' && { smtp: responseCode }),
      ...(typeof reason === 'string' && permanent === true && { error: reason }),
    },
  }
}

function toSmtpError(error: unknown): SmtpError {
  return typeof error === 'object' && error !== null ? error : {}
}

/** Explains to an operator why a mail was not sent over SMTP. Without user and password. */
export function explainFailure(error: unknown, server: SmtpServer): string {
  const { host, port } = server
  const { code, responseCode, response, command, message } = toSmtpError(error)
  const at = `${host}:${port}`
  const reply = typeof response === 'string' ? `: ${withoutCredentials(response, server)}` : ''
  if (code === 'EDNS' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The host ${host} was not found`
  if (code === 'ETIMEDOUT') return `${at} did not answer in time: is the port right, and does a firewall allow it?`
  if (code === 'ETLS') return explainTls(at, String(message))
  if (code === 'EAUTH') return `${at} does not accept the user and password of smtpUrl${reply}`
  if (command === 'MAIL FROM') return `${at} does not accept the sender (mailFrom)${reply}`
  if (command === 'RCPT TO') return `${at} does not accept the recipient${reply}`
  if (responseCode !== undefined) return `${at} did not accept the mail${reply}`
  const detail = withoutCredentials(String(message), server)
  return `${at} could not be used (${typeof code === 'string' ? `${code}: ` : ''}${detail})`
}

function explainTls(at: string, message: string): string {
  if (/STARTTLS/i.test(message)) return `${at} does not offer STARTTLS: use smtps://, or another port (often 587)`
  return `${at}: TLS failed: ${message}`
}

/** Servers may repeat what they were sent, in plain text or in Base64. */
function withoutCredentials(text: string, { auth }: SmtpServer): string {
  const secrets = auth === undefined ? [] : [auth.pass, auth.user, `\0${auth.user}\0${auth.pass}`]
  const spelled = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString('base64')])
  let clean = text.replace(/\s+/g, ' ').slice(0, 1000)
  for (const secret of spelled) clean = clean.replaceAll(secret, '…')
  return clean.trim()
}
