import { createPublicKey, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { type PublicJwk, unsafeDecode } from '@sealwax/jwt'
import { ALGORITHMS } from '../algorithms.ts'
import { type Forge, generateKeySync, signerOf } from './forge.ts'
import { algorithmShapes, headerKeyShapes, keyShapes } from './hostile/algorithms.ts'
import type { Shape } from './hostile/shape.ts'
import { signatureShapes } from './hostile/signatures.ts'
import type { HostileCategory, HostileToken } from './hostile-tokens.ts'

const SHAPES = {
  algorithm: algorithmShapes,
  key: keyShapes,
  signature: signatureShapes,
  header: headerKeyShapes,
} satisfies Partial<Record<HostileCategory, (forge: Forge) => Iterable<Shape>>>

/**
 * Creates the hostile tokens that an attacker can make from a valid token, without the key of its
 * issuer: other algorithms, keys of the attacker's own, changed contents under the old signature,
 * damaged signatures. Every API must refuse them.
 * @param token a valid token that the API accepts
 * @param publicKey the public key that verifies it, for tokens that use it as a secret
 * @throws {JwtError} `ERR_JWT_MALFORMED` if it is not a token
 */
export function forgedTokens(token: string, publicKey?: PublicJwk): HostileToken[] {
  const forge = forgeOfToken(token, publicKey)
  return Object.entries(SHAPES).flatMap(([category, shapes]) =>
    [...shapes(forge)]
      // Some shapes change nothing that this token has.
      .filter(([, , made]) => made !== token)
      .map(([name, source, made]) => ({
        name: `${category}: ${name}`,
        category: category as HostileCategory,
        source,
        token: made,
      })),
  )
}

/** "Signed by the issuer" means here: under the signature of the valid token. */
function forgeOfToken(token: string, publicKey: PublicJwk | undefined): Forge {
  const { header, payload: claims } = unsafeDecode(token)
  // The stranger of a token with an algorithm that we do not know signs with another one.
  const alg = Object.hasOwn(ALGORITHMS, header.alg) ? (header.alg as Forge['alg']) : 'RS256'
  const strangerKey = generateKeySync(alg)
  const signature = Buffer.from(token.split('.')[2] ?? '', 'base64url')
  return {
    alg,
    kid: header.kid ?? '',
    publicKey: publicKey === undefined ? unknownKey() : createPublicKey({ key: { ...publicKey }, format: 'jwk' }),
    header,
    claims,
    sign: () => signature,
    signAsStranger: signerOf(alg, strangerKey),
    strangerKey,
  }
}

/** Not a public key, so that no token is made from it. */
function unknownKey(): KeyObject {
  return createSecretKey(randomBytes(64))
}
