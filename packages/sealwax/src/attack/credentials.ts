import { exec } from 'node:child_process'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeySource } from '@sealwax/guard'
import { discoverKeys } from '@sealwax/guard/internal'
import { createRemoteJWKSet, exportJwk, type LocalJWKSet, type PublicJwk, unsafeDecode } from '@sealwax/jwt'
import { isSecureUrl } from '@sealwax/jwt/internal'
import { AuthError } from '../errors.ts'

/** What a log-in gave. */
export interface Credentials {
  /** An access token that the route accepts. */
  readonly token: string
  readonly refreshToken?: string
  readonly idToken?: string
}

const LONGEST_LOGIN_MS = 60_000

/**
 * Runs a command that logs in. It prints an access token, or the JSON of a token response (RFC 6749
 * §5.1).
 *
 * @throws {AuthError} `config_invalid`; the message does not show what the command printed
 */
export async function logIn(command: string): Promise<Credentials> {
  let printed: string
  try {
    printed = (await promisify(exec)(command, { timeout: LONGEST_LOGIN_MS })).stdout
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string }
    const how = typeof code === 'number' ? `failed with code ${code}` : 'did not end within a minute'
    const reason = stderr.trim().split('\n').at(-1)
    throw new AuthError('config_invalid', `The log-in command ${how}${reason ? `: ${reason}` : ''}`)
  }
  return readCredentials(printed)
}

/**
 * Reads a token, or the JSON of a token response.
 *
 * @throws {AuthError} `config_invalid`
 */
export function readCredentials(text: string): Credentials {
  const trimmed = text.trim()
  const given = trimmed.startsWith('{') ? parse(trimmed) : { access_token: trimmed }
  const { access_token: token, refresh_token: refreshToken, id_token: idToken } = given
  if (!isText(token))
    throw new AuthError('config_invalid', 'There is no access token: expected one, or JSON with access_token')
  try {
    unsafeDecode(token)
  } catch {
    throw new AuthError('config_invalid', 'The access token is not a JWT, so there is nothing to forge')
  }
  return { token, ...(isText(refreshToken) && { refreshToken }), ...(isText(idToken) && { idToken }) }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/**
 * Finds the public key of a token, which attackers know, too.
 *
 * @param jwks the URL of the key set. Default: from the metadata of the issuer
 * @returns `undefined` if there is none
 */
export async function findPublicKey(token: string, jwks: string | undefined): Promise<PublicJwk | undefined> {
  const { header, payload } = unsafeDecode(token)
  const source = keysAt(jwks, payload.iss)
  try {
    const keys = (await source?.keysFor(token)) as LocalJWKSet | undefined
    const key = header.kid === undefined ? keys?.keys[0] : keys?.get(header.kid)
    return key && (exportJwk(key) as PublicJwk)
  } catch {
    return undefined
  } finally {
    await source?.close()
  }
}

function keysAt(jwks: string | undefined, issuer = ''): Pick<KeySource, 'keysFor' | 'close'> | undefined {
  if (jwks !== undefined) {
    const { protocol, origin } = new URL(jwks)
    return createRemoteJWKSet(jwks, protocol === 'http:' ? { allowHttp: [origin] } : {})
  }
  return URL.canParse(issuer) && isSecureUrl(new URL(issuer)) ? discoverKeys(issuer, { now: Date.now }) : undefined
}

/** Secrets from tutorials, and those that a mistake leaves. */
const COMMON_SECRETS: readonly string[] = [
  ...[
    '',
    'secret',
    'Secret',
    'SECRET',
    'secret123',
    'supersecret',
    'super-secret',
    'super secret',
    'mysecret',
    'my-secret',
  ],
  ...['my_secret', 'mysecretkey', 'my-secret-key', 'secretkey', 'secret-key', 'secret_key', 'jwtsecret', 'jwt-secret'],
  ...['jwt_secret', 'JWT_SECRET', 'jwt', 'key', 'privatekey', 'private-key', 'token', 'tokensecret', 'changeme'],
  ...['change-me', 'changeit', 'password', 'Password1', '123456', '12345678', '1234567890', 'qwerty', 'admin', 'test'],
  ...['testing', 'dev', 'development', 'default', 'example', 'foo', 'bar', 'abc123', 'shhhhh', 'shhhhhhared-secret'],
  ...[
    'your-256-bit-secret',
    'your-384-bit-secret',
    'your-512-bit-secret',
    'your-secret',
    'your_jwt_secret',
    'yoursecret',
  ],
  ...[
    'a-string-secret-at-least-256-bits-long',
    'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
  ],
  ...['undefined', 'null', '[object Object]', 'keyboard cat', 'hmackey', 'at-least-32-characters-long-secret'],
]

/**
 * Returns the common secret that signed a token; `undefined` if none did. Nobody needs the route
 * for this.
 */
export function guessSecret(token: string): string | undefined {
  const { header } = unsafeDecode(token)
  const bits = /^HS(256|384|512)$/.exec(header.alg)?.[1]
  if (bits === undefined) return undefined
  const input = token.slice(0, token.lastIndexOf('.'))
  const signature = Buffer.from(token.slice(input.length + 1), 'base64url')
  const encodings = ['utf8', 'base64'] as const
  return COMMON_SECRETS.find((secret) =>
    encodings.some((encoding) => {
      const mac = createHmac(`sha${bits}`, Buffer.from(secret, encoding)).update(input).digest()
      return mac.length === signature.length && timingSafeEqual(mac, signature)
    }),
  )
}
