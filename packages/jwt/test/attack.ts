import { constants, createHmac, createPrivateKey, sign as signOctets } from 'node:crypto'
import type { Jwk, JwtErrorCode, VerificationKeys, VerifyOptions } from '@sealwax/jwt'
import { exportJwk, generateKey, importKey, JwtError, verify } from '@sealwax/jwt'
import { audience, base64url, claims, currentDate, header, hs256, issuer, rsaJwk, secret } from './craft.ts'

/**
 * What a row refuses: a token (checked with {@link hs256} and {@link held} by default), or a call.
 */
export type Attack =
  | string
  | { token: unknown; keys?: VerificationKeys; options?: Record<string, unknown> }
  | (() => unknown)

/** One row of a table of attacks: what is refused, why, with which code, and the inputs. */
export interface Row {
  name: string
  /** RFC section, advisory, or `policy` for a stricter rule of this package. */
  source: string
  code: JwtErrorCode
  attacks: readonly Attack[]
}

export const held: VerifyOptions = { issuer, audience, typ: 'at+jwt', clockTolerance: 0, currentDate }

export const rsa = importKey(rsaJwk(), { kid: 'rs-1' })
export const ec = await generateKey('ES256', { kid: 'ec-1' })
export const ed = await generateKey('EdDSA', { kid: 'ed-1' })
export const rsaPublic = exportJwk(rsa)
export const ecPublic = exportJwk(ec)
export const otherEcPublic = exportJwk(await generateKey('ES256'))
export const edPublic = exportJwk(ed)

export const hmac =
  (key: string | Uint8Array, hash = 'sha256') =>
  (input: string): Buffer =>
    createHmac(hash, key).update(input).digest()

export const rsaHeader = { alg: 'RS256', kid: 'rs-1', typ: 'at+jwt' }
export const ecHeader = { alg: 'ES256', kid: 'ec-1', typ: 'at+jwt' }
export const edHeader = { alg: 'EdDSA', kid: 'ed-1', typ: 'at+jwt' }

const privateObject = (jwk: Jwk) => createPrivateKey({ key: { ...jwk }, format: 'jwk' })
export const rsaPrivate = privateObject(rsaJwk())
const ecPrivate = privateObject(exportJwk(ec, { private: true }))
const edPrivate = privateObject(exportJwk(ed, { private: true }))

/** Valid signatures: PSS if there is a salt length, else PKCS #1 v1.5. */
export function rsaSign(hash: string, saltLength?: number) {
  const padding = saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
  return (input: string) => signOctets(hash, Buffer.from(input), { key: rsaPrivate, ...padding })
}

export const ecSign = (input: string, dsaEncoding: 'der' | 'ieee-p1363' = 'ieee-p1363') =>
  signOctets('sha256', Buffer.from(input), { key: ecPrivate, dsaEncoding })
export const edSign = (input: string) => signOctets(null, Buffer.from(input), edPrivate)

type Signer = (input: string) => string | Uint8Array

const segment = (value: object | string) =>
  base64url(typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value))

/**
 * A token with any header, payload and signature. Objects become JSON; strings and octets stay as
 * they are.
 */
export function forge(head: object | string, payload: object | string = claims, signer: Signer = hmac(secret)): string {
  const input = `${segment(head)}.${segment(payload)}`
  return `${input}.${base64url(signer(input))}`
}

/** A token of {@link hs256} with some header parameters changed; `undefined` removes one. */
export const withHeader = (changed: object, signer?: Signer): string => forge({ ...header, ...changed }, claims, signer)

/** A token of {@link hs256} with some claims changed; `undefined` removes one. */
export const withClaims = (changed: object): string => forge(header, { ...claims, ...changed })

/** The same with the claims as JSON, for what an object cannot express. */
export const withText = (text: string): string => forge(header, JSON.stringify(claims).replace(/}$/, `,${text}}`))

export const good = forge(header)
export const noSignature: Signer = () => ''
export { hs256 }

/** The code with which an attack is refused. */
export function codeOf(attack: Attack): string {
  try {
    if (typeof attack === 'function') attack()
    else if (typeof attack === 'string') verify(attack, hs256, held)
    else
      verify(
        attack.token as string,
        ('keys' in attack ? attack.keys : hs256) as VerificationKeys,
        { ...held, ...attack.options } as VerifyOptions,
      )
    return 'accepted'
  } catch (error) {
    return error instanceof JwtError ? error.code : String(error)
  }
}
