import type { Algorithm } from '@sealwax/jwt'

/** All algorithms. */
export const ALGORITHMS: Readonly<Record<Algorithm, true>> = {
  ...({ ES256: true, ES384: true, ES512: true, EdDSA: true, Ed25519: true } as const),
  ...({ RS256: true, RS384: true, RS512: true, PS256: true, PS384: true, PS512: true } as const),
  ...({ 'ML-DSA-44': true, 'ML-DSA-65': true, 'ML-DSA-87': true } as const),
  ...({ HS256: true, HS384: true, HS512: true } as const),
}
