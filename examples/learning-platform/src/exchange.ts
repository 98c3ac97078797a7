/** The members of the responses of `/login` and `/refresh` that the tour reads. */
export interface Tokens {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token: string
}

export interface ExchangeOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** The status that the tour expects. Any other ends it. */
  readonly expect: number
}

type Json = Record<string, unknown>

/** The members of a response that are printed, in this order. */
const SHOWN = [
  ...['access_token', 'token_type', 'expires_in', 'refresh_token', 'user_id', 'message'],
  ...['title', 'code', 'reason', 'detail'],
]

/** Sends a request, prints it and the response, and returns the parsed response. */
export async function exchange<T = Json>(
  url: string,
  method: string,
  path: string,
  options: ExchangeOptions,
): Promise<T> {
  const { headers = {}, body, expect } = options
  console.log(`   ${method} ${url}${path}`)
  for (const [name, value] of Object.entries(headers)) console.log(`     ${name}: ${shorten(value)}`)
  if (body !== undefined) console.log(`     ${shorten(JSON.stringify(body))}`)
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const answer: Json = text === '' ? {} : JSON.parse(text)
  console.log(`   ${response.status} ${response.statusText}`)
  for (const name of SHOWN) if (name in answer) console.log(`     ${name}: ${shorten(String(answer[name]))}`)
  if (response.status !== expect)
    throw new Error(`${method} ${path} should have returned ${expect}, not ${response.status}`)
  return answer as T
}

export function say(line: string): void {
  console.log(/^\d/.test(line) ? `\n${line}` : line)
}

export function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` }
}

/**
 * Whether a Sealwax server responds at this URL and has it as its issuer. The tour does not use any
 * other server.
 */
export async function isPlatform(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/.well-known/oauth-authorization-server`, { signal: AbortSignal.timeout(2000) })
    return ((await response.json()) as Json | null)?.issuer === url
  } catch {
    return false
  }
}

/**
 * Tampers with a token as an attacker would: other claims between the original header and
 * signature.
 */
export function replaceClaims(token: string, claims: Json): string {
  const [header, payload = '', signature] = token.split('.')
  const all = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims }
  return [header, Buffer.from(JSON.stringify(all)).toString('base64url'), signature].join('.')
}

/** Shortens tokens: they are too long to read, and a whole one should not be copied anywhere. */
function shorten(text: string): string {
  return text.replace(/[\w.-]{60,}/g, (token) => `${token.slice(0, 10)}…${token.slice(-6)}`)
}
