import type { Algorithm, Duration } from '@sealwax/jwt'
import { checkDuration, duration, durationInWords, invalidOption, type OptionRules, oneOf } from '../core/options.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /** The signing algorithm. Default 'ES256'. */
    readonly alg?: Algorithm
    /**
     * How long a key signs before the next one takes over. Default 30 days, at least 5 minutes and
     * `accessTtl`.
     */
    readonly keyPeriod?: Duration
  }
  interface Config {
    readonly alg: Algorithm
    readonly keyPeriod: number
  }
}

/** Those that a server can sign with. */
export const ALGORITHMS: readonly string[] = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512'],
  ...['PS256', 'PS384', 'PS512', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87', 'HS256', 'HS384', 'HS512'],
]
const LIMITS = { least: 5 * 60_000 }

export const signingKeyOptions: OptionRules = {
  alg: oneOf('alg', ALGORITHMS, 'ES256'),
  keyPeriod: {
    ...duration('keyPeriod', '30d', LIMITS),
    check(value, { accessTtl = '15m' }) {
      const period = checkDuration('keyPeriod', value as Duration, LIMITS)
      // The JWK Set contains every key whose tokens may be valid: with a shorter period it would
      // grow.
      const lifetime = checkDuration('accessTtl', accessTtl, { least: 0 })
      if (period >= lifetime) return period
      const allowed = `be at least accessTtl, which is ${durationInWords(lifetime)}`
      throw invalidOption('keyPeriod', allowed, durationInWords(period))
    },
  },
}
