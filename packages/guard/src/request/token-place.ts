import { checkOptions, mustBe, type OptionRules } from '../strict-options.ts'
import { type FoundCredentials, type HeaderPlace, NONE, readField, withoutUrl } from './credentials.ts'
import { type GuardRequest, singleField } from './request.ts'

/** The header field that contains the token. */
export interface TokenHeader {
  /** The name of the field, in any case. Default `Authorization`. */
  readonly header?: string
  /**
   * The scheme before the token (RFC 9110 §11.4), in any case. Default: `Bearer` for
   * `Authorization`, none for other fields.
   */
  readonly scheme?: string
}

/**
 * Where the token is, if not after `Bearer` in the Authorization header: in another header field,
 * after another scheme, or what a function returns; `undefined`: the request has none. Never take a
 * token from the URL: URLs are logged and stored in histories.
 */
export type TokenPlace = TokenHeader | ((request: GuardRequest) => string | undefined)

/** A checked {@link TokenPlace}. */
export type ReadTokenPlace = HeaderPlace | Exclude<TokenPlace, TokenHeader>

// RFC 9110 §5.6.2
const isToken = (value: unknown) => typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value)

const TOKEN_HEADER: OptionRules<TokenHeader> = {
  example: "{ header: 'X-Access-Token' }",
  rules: {
    header: mustBe(
      'the name of a header field other than Cookie',
      (value) => isToken(value) && (value as string).toLowerCase() !== 'cookie',
    ),
    scheme: mustBe("the name of a scheme such as 'Bearer'", isToken),
  },
}

/**
 * Checks and copies the option `token` of the guard.
 * @throws {TypeError} for anything but a well-formed place
 */
export function readTokenPlace(place: TokenPlace): ReadTokenPlace {
  if (typeof place === 'function') return place
  checkOptions('createGuard', place, TOKEN_HEADER, 'token')
  const { header = 'Authorization', scheme } = place
  const isAuthorization = header.toLowerCase() === 'authorization'
  return Object.freeze({ name: header, scheme: scheme ?? (isAuthorization ? 'Bearer' : undefined) })
}

/** Finds the token of a request in a place of its own, and nowhere else. */
export function findInPlace(request: GuardRequest, place: ReadTokenPlace): FoundCredentials {
  return withoutUrl(typeof place === 'function' ? readReturned(place(request)) : findInHeader(request, place), request)
}

function findInHeader(request: GuardRequest, place: HeaderPlace): FoundCredentials {
  const value = singleField(request, place.name.toLowerCase())
  return value === undefined || value === '' ? NONE : readField(value, place)
}

/** The part of the checked options that is read. */
interface Accepted {
  readonly place: ReadTokenPlace | undefined
  readonly dpop: { readonly required: boolean } | undefined
}

/** What a client is told that sent no token; `undefined`: the usual sentence. */
export function missingDetail({ place, dpop }: Accepted): string | undefined {
  if (place === undefined) {
    const both =
      'Send an access token in the Authorization header: "DPoP", one space, the token; and a proof in the DPoP header.'
    return dpop?.required === true ? both : undefined
  }
  if (typeof place === 'function') return 'The request carries no access token.'
  const { name, scheme } = place
  return `Send an access token in the ${name} header${scheme === undefined ? '' : `: "${scheme}", one space, the token`}.`
}

function readReturned(token: unknown): FoundCredentials {
  if (token === undefined || token === null || token === '') return NONE
  if (typeof token === 'string') return { kind: 'token', token, place: 'request' }
  if (token instanceof Promise) token.catch(() => {})
  throw new TypeError('createGuard: token must return a string or undefined')
}
