import { webcrypto } from 'node:crypto'
import type { VerifyOptions } from '@sealwax/jwt'
import { importKey, JwtError, verify } from '@sealwax/jwt'
import { createVerifier } from 'fast-jwt'
import { errors, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { audience, issuer, keys, now, secret } from './corpus.ts'

/** The verdict of a library: the claims that it returns, or the reason of the refusal. */
export type Verdict = { claims: unknown } | { refused: string }
/**
 * Verifies one token with one library. With `strict`, issuer, audience, type and times are
 * required. Without it, only the signature and the times that are present are checked.
 */
export type Judge = (token: string, strict: boolean) => Verdict | Promise<Verdict>

const currentDate = new Date(now * 1000)
const ourKeys = [...keys].map(([kid, { alg, object }]) =>
  alg === 'HS256'
    ? importKey(secret, { alg, kid: String(kid) })
    : importKey(object.export({ format: 'jwk' }) as { kty: string }, { alg, kid: String(kid) }),
)
const common = { currentDate, clockTolerance: 0 }
const strictOptions: VerifyOptions = { ...common, issuer, audience, typ: 'at+jwt' }
const laxOptions: VerifyOptions = { ...common, issuer: null, audience: null, typ: null }
const aboutTokens = /^ERR_JWT_(?!OPTION|KEY$|KEY_SET|KEYS_UNAVAILABLE)/

/** Our own verdict. Any error that is not a refusal of the token is a fault, and is thrown. */
export const ours = (token: string, strict: boolean): Verdict => {
  try {
    return { claims: verify(token, ourKeys, strict ? strictOptions : laxOptions).payload }
  } catch (error) {
    if (error instanceof JwtError && aboutTokens.test(error.code)) return { refused: error.code }
    throw error
  }
}

const algorithms = ['HS256', 'EdDSA', 'Ed25519', 'ES256']
const hmacParameters = { name: 'HMAC', hash: 'SHA-256' }
const joseSecret = await webcrypto.subtle.importKey('raw', secret, hmacParameters, false, ['verify'])

function joseKey({ kid }: { kid?: unknown }) {
  const key = keys.get(kid)
  if (key === undefined) throw new errors.JWKSNoMatchingKey()
  return key.alg === 'HS256' ? joseSecret : key.object
}

export const jose: Judge = async (token, strict) => {
  const required = { issuer, audience, typ: 'at+jwt', requiredClaims: ['exp', 'iat'] }
  try {
    const options = { algorithms, currentDate, clockTolerance: 0, ...(strict ? required : {}) }
    return { claims: (await jwtVerify(token, joseKey as never, options)).payload }
  } catch (error) {
    return { refused: (error as { code?: string }).code ?? String(error) }
  }
}

/**
 * The key for a token, as an application would look it up before it calls a library that takes one
 * key.
 */
function keyNamedBy(token: string) {
  try {
    const header = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString()) as { kid?: unknown }
    return keys.get(header.kid)
  } catch {
    return undefined
  }
}

export const jsonWebToken: Judge = (token, strict) => {
  const key = keyNamedBy(token)
  if (key === undefined || key.alg === 'EdDSA') return { refused: 'no key' } // jsonwebtoken does not support EdDSA
  const options = {
    algorithms: [key.alg],
    clockTimestamp: now,
    clockTolerance: 0,
    ...(strict ? { issuer, audience } : {}),
  }
  try {
    return { claims: jsonwebtoken.verify(token, key.object, options) }
  } catch (error) {
    return { refused: (error as Error).message }
  }
}

function fastVerifier(kid: unknown, strict: boolean) {
  const { alg, object } = keys.get(kid) ?? {}
  const key = alg === 'HS256' ? secret : String(object?.export({ format: 'pem', type: 'spki' }))
  const required = {
    allowedIss: issuer,
    allowedAud: audience,
    checkTyp: 'at+jwt',
    requiredClaims: ['iss', 'aud', 'exp', 'iat'],
  }
  const common = { key, algorithms: [alg as 'HS256'], clockTimestamp: now * 1000, clockTolerance: 0, cache: false }
  return createVerifier({ ...common, ...(strict ? required : {}) }) as (token: string) => unknown
}

const fastVerifiers = new Map(
  [...keys].map(([kid, key]) => [key, { strict: fastVerifier(kid, true), lax: fastVerifier(kid, false) }]),
)

export const fastJwt: Judge = (token, strict) => {
  const key = keyNamedBy(token)
  const verifiers = key === undefined ? undefined : fastVerifiers.get(key)
  if (verifiers === undefined) return { refused: 'no key' }
  try {
    return { claims: (strict ? verifiers.strict : verifiers.lax)(token) }
  } catch (error) {
    return { refused: (error as { code?: string }).code ?? String(error) }
  }
}
