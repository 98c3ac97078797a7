import { type CookieRule, cookiesNamed, forgeryFault } from './cookies.ts'
import { type GuardRequest, singleField } from './request.ts'

/**
 * The credentials of a request: a token, none, or an attempt that is refused before the token is
 * verified.
 */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly code: 'invalid_request' | 'csrf_failed'; readonly detail: string }

/** Credentials whose token may be any string: {@link tokenFault} checks it. */
export type FoundCredentials =
  | Credentials
  /** After the scheme DPoP: the request must have a proof. */
  | { readonly kind: 'token'; readonly token: string; readonly place: string; readonly proof: true }
  | { readonly kind: 'token'; readonly token: string; readonly cookie: true }
  /** `place` is where the guard's option `token` has it from, for messages. */
  | { readonly kind: 'token'; readonly token: string; readonly place: string }

/** Credentials with a token, from the header or the cookie. */
export type BearerCredentials = FoundCredentials & { kind: 'token' }

/** In characters. Longer strings are checked by `verify` only. */
const LONGEST_EXAMINED = 2048

/** No credentials. */
export const NONE: Credentials = Object.freeze({ kind: 'none' })
const TWICE = invalid('The request carries more than one Authorization header, or a comma in it.')
const IN_URL = invalid('The request carries a token in the URL in addition to the one that is used.')
const IN_COOKIE = invalid('The request carries a token in a cookie in addition to the Authorization header.')
const COOKIE_TWICE = invalid('The request carries more than one cookie with the name of the token cookie.')
const NO_TOKEN = invalid('The Authorization header has the Bearer scheme but no token.')
const SEPARATOR = invalid('The Authorization header must have exactly one space between "Bearer" and the token.')
const CHARACTERS = invalid('The token in the Authorization header has characters that no token can have.')
const COOKIE_CHARACTERS = invalid('The token in the cookie has characters that no token can have.')

/**
 * Finds the access token of a request: in the Authorization header (RFC 6750 §2.1), or in the
 * guard's cookie if it has one. A token in the URL is never used. Two methods in one request make
 * it invalid (RFC 6750 §2, §3.1). `withProofs`: the scheme may also be DPoP (RFC 9449 §7.1).
 *
 * The characters of the token are not checked here, since a valid token does not need it:
 * {@link tokenFault} is called for tokens that are refused.
 */
export function findCredentials(request: GuardRequest, cookie?: CookieRule, withProofs = false): FoundCredentials {
  const value = singleField(request, 'authorization')
  let found = value === undefined ? NONE : withProofs && DPOP.test(value) ? readDpop(value) : readAuthorization(value)
  if (cookie !== undefined && found.kind !== 'invalid') found = withCookie(found, request, cookie)
  return withoutUrl(found, request)
}

/** Refuses a token if there is another one in the URL. */
export function withoutUrl(found: FoundCredentials, { url }: GuardRequest): FoundCredentials {
  return found.kind === 'token' && hasTokenInUrl(url) ? IN_URL : found
}

/**
 * Returns what is wrong with the token that {@link findCredentials} found; `undefined` if it is a
 * token68 (RFC 9110 §11.2).
 */
export function tokenFault(found: BearerCredentials): (Credentials & { kind: 'invalid' }) | undefined {
  const { token } = found
  // Checking thousands of characters would make an invalid token more expensive than a valid one;
  // it is malformed either way.
  if (token.length > LONGEST_EXAMINED && !token.includes(',')) return undefined
  if (/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) return undefined
  if ('cookie' in found) return COOKIE_CHARACTERS
  if ('proof' in found && token.includes(',')) return TWICE
  if ('place' in found) return invalid(`The token in the ${found.place} has characters that no token can have.`)
  if (token.includes(',')) return TWICE
  if (token.trim() === '') return NO_TOKEN
  return token.startsWith(' ') || token.startsWith('\t') ? SEPARATOR : CHARACTERS
}

/**
 * Reads the value of one Authorization header, up to the token. Other schemes are not bearer
 * credentials: `none`.
 */
export function readAuthorization(value: string): Credentials {
  if (value.startsWith('Bearer ')) return { kind: 'token', token: value.slice(7) }
  const scheme = /^[^ \t,]*/.exec(value)?.[0] ?? ''
  if (scheme.toLowerCase() !== 'bearer') {
    // Headers (Fetch) joins two fields with a comma, so that with the token may be the second one.
    return /,[ \t]*(?:bearer|dpop)(?:[ \t,]|$)/i.test(value) ? TWICE : NONE
  }
  const rest = value.slice(scheme.length)
  if (rest.startsWith(' ')) return { kind: 'token', token: rest.slice(1) }
  if (rest.includes(',')) return TWICE
  return rest.trim() === '' ? NO_TOKEN : SEPARATOR
}

/** A header field that contains a token. */
export interface HeaderPlace {
  /** The name of the field, in the case that was given. */
  readonly name: string
  /** Before the token; `undefined`: the value of the field is the token. */
  readonly scheme: string | undefined
}

const DPOP = /^dpop(?:[ \t,]|$)/i
const DPOP_PLACE: HeaderPlace = { name: 'Authorization', scheme: 'DPoP' }

function readDpop(value: string): FoundCredentials {
  const found = readField(value, DPOP_PLACE)
  return found.kind === 'token' && 'place' in found ? { ...found, proof: true } : found
}

/** Reads the value of a header field, up to the token. */
export function readField(value: string, { name, scheme }: HeaderPlace): FoundCredentials {
  const place = `${name} header`
  if (scheme === undefined) return { kind: 'token', token: value, place }
  const written = /^[^ \t,]*/.exec(value)?.[0] ?? ''
  if (written.toLowerCase() !== scheme.toLowerCase()) return hasSecond(value, scheme) ? twice(name) : NONE
  const rest = value.slice(written.length)
  if (rest.startsWith(' ')) return { kind: 'token', token: rest.slice(1), place }
  return rest.includes(',') ? twice(name) : invalid(`The ${place} is not "${scheme}", one space and a token.`)
}

/** Headers (Fetch) joins two fields with a comma. */
function hasSecond(value: string, scheme: string): boolean {
  const words = value.toLowerCase().split(/[ \t]*,[ \t]*/)
  return words.slice(1).some((word) => word.split(/[ \t]/)[0] === scheme.toLowerCase())
}

function twice(name: string): Credentials & { kind: 'invalid' } {
  return invalid(`The request carries more than one ${name} header, or a comma in it.`)
}

/** `verify` refuses longer tokens, too. Here they are refused before anything in them is read. */
const LONGEST = 16_384

/**
 * Returns what is wrong if the token is too long.
 * @param longest the option `maxTokenLength` of the guard
 */
export function lengthFault(
  found: BearerCredentials,
  longest = LONGEST,
): { readonly code: 'invalid_request' | 'csrf_failed' | 'token_malformed'; readonly detail: string } | undefined {
  if (found.token.length <= longest) return undefined
  return (
    tokenFault(found) ?? { code: 'token_malformed', detail: `The access token is longer than ${longest} characters.` }
  )
}

function withCookie(header: FoundCredentials, request: GuardRequest, rule: CookieRule): FoundCredentials {
  const [token, ...more] = cookiesNamed(rule.name, request)
  if (token === undefined) return header
  if (more.length > 0) return COOKIE_TWICE
  if (header.kind === 'token') return IN_COOKIE
  const detail = forgeryFault(request, rule)
  return detail === undefined
    ? { kind: 'token', token, cookie: true }
    : { kind: 'invalid', code: 'csrf_failed', detail }
}

function hasTokenInUrl(url: string | undefined): boolean {
  return url?.includes('access_token=') === true && /[?&]access_token=/.test(url)
}

/** Credentials that are refused. */
function invalid(detail: string): Credentials & { kind: 'invalid' } {
  return Object.freeze({ kind: 'invalid', code: 'invalid_request', detail })
}
