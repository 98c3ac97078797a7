import { isLoopback } from '@sealwax/jwt/internal'

/** An SMTP server. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** Whether TLS begins with the connection (smtps). */
  readonly secure: boolean
  /** Whether a connection without TLS is accepted: only to this machine. */
  readonly plain: boolean
  readonly auth: { readonly user: string; readonly pass: string } | undefined
}

/** How to write the URL. */
export const SMTP_SPELLING =
  'be a URL such as smtps://user:password@smtp.example.com or smtp://user:password@smtp.example.com:587, with user and password percent-encoded'

/**
 * Parses the URL of an SMTP server. Returns a string, what is wrong with it, if it is not one. The
 * string contains no part of the URL.
 */
export function parseSmtpUrl(value: string): SmtpServer | string {
  // Checked first: the URL class silently removes line breaks and tabs.
  if (/[\s\p{C}]/u.test(value)) return 'one with white space or control characters'
  if (!/^smtps?:\/\//.test(value)) return 'one that does not begin with smtp:// or smtps://'
  if (!URL.canParse(value)) return 'one that cannot be parsed'
  const url = new URL(value)
  if (url.hostname === '') return 'one without a host'
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    return 'one with a path, a query or a fragment'
  }
  if (value.slice(value.indexOf('//') + 2).split('@').length > 2) return 'one with more than one @'
  const user = decode(url.username)
  const pass = decode(url.password)
  if (user === undefined || pass === undefined) return 'one whose user or password is not percent-encoded'
  if ((user === '') !== (pass === '')) return 'one with a user but no password, or a password but no user'
  const secure = url.protocol === 'smtps:'
  if (url.port === '0') return 'one with the port 0'
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    plain: !secure && isLoopback(url.hostname),
    auth: user === '' ? undefined : { user, pass },
  }
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
