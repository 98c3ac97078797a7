import { fieldOf, fieldValue, type GuardRequest } from './request.ts'
import { isLoopback } from './urls.ts'

/** The cookie in which an access token may come. */
export interface CookieRule {
  /** Its exact name. With the prefix `__Host-` the browser sees to it that it was set by this host, over TLS, for all paths. */
  readonly name: string
  /**
   * Other origins whose pages may send requests that change something: exact, as in `'https://app.example.com'`. Default none. The API's own
   * origin needs no entry where the request shows it: same host, and https or loopback.
   */
  readonly origins?: readonly string[]
}

/** Methods that change nothing (RFC 9110 §9.2.1), so that a forged one is no use. */
const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Copies and checks the option of the guard.
 * @throws TypeError for a name that no cookie has (RFC 6265 §4.1.1), and for what is not the serialisation of an origin (RFC 6454 §6.2)
 */
export function readCookieRule(rule: CookieRule): CookieRule {
  if (typeof rule !== 'object' || rule === null) throw new TypeError("createGuard: cookie must be { name: '…' }")
  for (const [member, value] of Object.entries(rule)) {
    if (member !== 'name' && member !== 'origins') throw new TypeError(`createGuard: unknown member cookie.${member}`)
    if (value === undefined) throw new TypeError(`createGuard: cookie.${member} is undefined`)
  }
  const { name, origins = [] } = rule
  if (typeof name !== 'string' || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    throw new TypeError('createGuard: cookie.name must be the name of a cookie')
  }
  if (!Array.isArray(origins)) throw new TypeError('createGuard: cookie.origins must be a list')
  for (const origin of origins) {
    if (typeof origin !== 'string' || parseOrigin(origin)?.origin !== origin) {
      throw new TypeError(
        "createGuard: each of cookie.origins must be an exact origin such as 'https://app.example.com'",
      )
    }
  }
  return Object.freeze({ name, origins: Object.freeze([...origins]) })
}

/** The values of all cookies of a name that a request carries (RFC 6265 §5.4); empty ones are cookies that were deleted. */
export function cookiesNamed(name: string, request: GuardRequest): string[] {
  const field = fieldOf(request, 'cookie')
  if (field === undefined) return []
  const text = typeof field === 'string' ? field : field.join('; ')
  if (!text.includes(name)) return []
  const values: string[] = []
  for (const pair of text.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || trim(pair.slice(0, equals)) !== name) continue
    const value = trim(pair.slice(equals + 1))
    if (value !== '') values.push(value)
  }
  return values
}

/**
 * A browser adds cookies to requests that pages of other sites make it send. So a request that may change something must say where it
 * comes from: Fetch Metadata where the browser sends it, else Origin. One that says neither is refused.
 * @returns why the request is refused, in a sentence for the client; `undefined` if it is not
 */
export function forgeryFault(request: GuardRequest, { origins = [] }: CookieRule): string | undefined {
  // A WebSocket handshake is a GET, sent with cookies by any page, and opens a channel in both directions.
  if (SAFE.has(request.method) && fieldValue(request, 'upgrade') === undefined) return undefined
  const site = fieldValue(request, 'sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return undefined
  const origin = fieldValue(request, 'origin')
  if (origin !== undefined && origins.includes(origin)) return undefined
  if (site !== undefined) return 'The request was sent by a page of another origin.'
  if (origin === undefined) return 'The request does not say which origin it comes from.'
  return isOwn(origin, request) ? undefined : 'The request was sent by a page of another origin.'
}

/** Whether an origin is that of the request itself. Behind a proxy the scheme is not known, so http counts on loopback only. */
function isOwn(origin: string, request: GuardRequest): boolean {
  const parsed = parseOrigin(origin)
  if (parsed === undefined || (parsed.protocol !== 'https:' && !isLoopback(parsed.hostname))) return false
  const host = hostOf(request)
  return host !== undefined && parseOrigin(`${parsed.protocol}//${host}`)?.host === parsed.host
}

function hostOf(request: GuardRequest): string | undefined {
  const { url = '' } = request
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return new URL(url).host
  return fieldValue(request, 'host') ?? fieldValue(request, ':authority')
}

/** `undefined` for what is not an http or https origin and nothing else: no path, no credentials. */
function parseOrigin(text: string): URL | undefined {
  if (!/^https?:\/\/[^/?#@*\\\s]+$/.test(text) || !URL.canParse(text)) return undefined
  return new URL(text)
}

/** Without the blanks around it; a regular expression for the end would take quadratic time. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
