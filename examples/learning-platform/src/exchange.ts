/** What `/login` and `/refresh` answer, as far as the tour reads it. */
export interface Tokens {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token: string
}

export interface ExchangeOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** The status that the tour is about to explain; any other ends it. */
  readonly expect: number
}

type Json = Record<string, unknown>

/** Members of an answer that are worth a look, in this order. */
const SHOWN = [
  ...['access_token', 'token_type', 'expires_in', 'refresh_token', 'user_id', 'message'],
  ...['title', 'code', 'reason', 'detail'],
]

/** Sends a request, prints it and the answer, and gives the answer's members. */
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
    throw new Error(`${method} ${path} should have answered ${expect}, not ${response.status}`)
  return answer as T
}

export function say(line: string): void {
  console.log(/^\d/.test(line) ? `\n${line}` : line)
}

export function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` }
}

/** Whether a Sealwax answers here under this very address. Any other server, or none, is not walked. */
export async function isPlatform(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/.well-known/oauth-authorization-server`, { signal: AbortSignal.timeout(2000) })
    return ((await response.json()) as Json | null)?.issuer === url
  } catch {
    return false
  }
}

/** What an attacker does to a token: other claims between the old header and the old signature. */
export function replaceClaims(token: string, claims: Json): string {
  const [header, payload = '', signature] = token.split('.')
  const all = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims }
  return [header, Buffer.from(JSON.stringify(all)).toString('base64url'), signature].join('.')
}

/** Tokens are too long for the eye, and nobody should paste a whole one anywhere. */
function shorten(text: string): string {
  return text.replace(/[\w.-]{60,}/g, (token) => `${token.slice(0, 10)}…${token.slice(-6)}`)
}
