import { isLoopback } from '@sealwax/jwt/internal'
import { checkOptions, mustBe, type OptionRules } from '../strict-options.ts'
import { fieldOf, fieldValue, type GuardRequest } from './request.ts'

/** The cookie that may contain the access token. */
export interface CookieRule {
  /**
   * Its exact name. With the prefix `__Host-` the browser ensures that this host set it, over TLS,
   * for all paths.
   */
  readonly name: string
  /**
   * Other origins whose pages may send unsafe requests, exactly as in `'https://app.example.com'`.
   * Default: none. The API's own origin does not need an entry if the request shows it: same host,
   * and https or loopback.
   */
  readonly origins?: readonly string[]
}

/** Safe methods (RFC 9110 §9.2.1): forging such a request changes nothing. */
const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A rule for the name of a cookie (RFC 6265 §4.1.1). */
export const mustBeCookieName = mustBe(
  'the name of a cookie',
  (value) => typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value),
)

const COOKIE: OptionRules<CookieRule> = {
  example: "{ name: '__Host-access' }",
  required: ['name'],
  rules: {
    name: mustBeCookieName,
    // RFC 6454 §6.2
    origins: mustBe(
      "a list of exact origins such as 'https://app.example.com'",
      (value) => Array.isArray(value) && value.every(isOrigin),
    ),
  },
}

/**
 * Checks and copies the option `cookie` of the guard.
 * @throws {TypeError} for an invalid cookie name or origin
 */
export function readCookieRule(rule: CookieRule): CookieRule {
  checkOptions('createGuard', rule, COOKIE, 'cookie')
  const { name, origins = [] } = rule
  return Object.freeze({ name, origins: Object.freeze([...origins]) })
}

/**
 * The values of all cookies with a name in a request (RFC 6265 §5.4). Empty ones are left out:
 * those cookies were deleted.
 */
export function cookiesNamed(name: string, request: GuardRequest): string[] {
  const field = fieldOf(request, 'cookie')
  if (field === undefined) return []
  const text = typeof field === 'string' ? field : field.join('; ')
  if (!text.includes(name)) return []
  const values: string[] = []
  for (const pair of text.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || trim(pair.slice(0, equals)) !== name) continue
    const value = unquoted(trim(pair.slice(equals + 1)))
    if (value !== '') values.push(value)
  }
  return values
}

/**
 * A browser also sends cookies with requests from pages of other sites. So an unsafe request must
 * show its origin: by Fetch Metadata if the browser sends it, else by Origin. A request with
 * neither is refused.
 * @returns why the request is refused, in a sentence for the client; `undefined` if it is not
 */
export function forgeryFault(request: GuardRequest, { origins = [] }: CookieRule): string | undefined {
  // A WebSocket handshake is a GET, sent with cookies by any page, and opens a channel in both
  // directions.
  if (SAFE.has(request.method) && fieldValue(request, 'upgrade') === undefined) return undefined
  const site = fieldValue(request, 'sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return undefined
  const origin = fieldValue(request, 'origin')
  if (origin !== undefined && origins.includes(origin)) return undefined
  if (site !== undefined) return 'The request was sent by a page of another origin.'
  if (origin === undefined) return 'The request does not say which origin it comes from.'
  return isOwn(origin, request) ? undefined : 'The request was sent by a page of another origin.'
}

/**
 * Whether an origin is that of the request itself. Behind a proxy the scheme is not known, so http
 * is accepted on loopback only.
 */
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

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && parseOrigin(value)?.origin === value
}

/**
 * Returns `undefined` unless the string is exactly an http or https origin: no path, no
 * credentials.
 */
function parseOrigin(text: string): URL | undefined {
  if (!/^https?:\/\/[^/?#@*\\\s]+$/.test(text) || !URL.canParse(text)) return undefined
  return new URL(text)
}

/** A cookie may be written in double quotes (RFC 6265 §4.1.1). */
function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

/**
 * Removes spaces and tabs at both ends. A regular expression for the end would take quadratic time.
 */
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
