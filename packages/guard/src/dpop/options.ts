import type { AsymmetricAlgorithm, Duration } from '@sealwax/jwt'
import { ALGORITHMS } from '../algorithms.ts'
import {
  isListOf,
  mustBe,
  mustBeBoolean,
  mustBeDuration,
  mustBeWholeNumber,
  type OptionRules,
} from '../strict-options.ts'
import { parseSecureUrl } from '../urls.ts'
import type { ProofReplays } from './replays.ts'

/** Options of `createDpopVerifier`. */
export interface DpopOptions {
  /**
   * The URL under which clients reach `/` of this API, or several: `'https://api.example.com'`, or
   * `'https://example.com/api'` if a proxy removes `/api`. Proofs are for URLs below it. It is not
   * taken from the request, since whoever sends a stolen request chooses its Host field.
   */
  readonly baseUrl: string | readonly string[]
  /**
   * Whether access tokens that are not bound to a key are refused. Default false: they are accepted
   * as bearer tokens.
   */
  readonly required?: boolean
  /** How old a proof may be, or how far ahead its clock. Default 60 seconds, at most 5 minutes. */
  readonly maxAge?: Duration
  /** The accepted algorithms of proofs. Default: all that use a key pair. */
  readonly algorithms?: readonly AsymmetricAlgorithm[]
  /**
   * At least 32 random octets, the same in all processes of this API. With it, a client whose clock
   * is wrong is sent a nonce, and the age of its next proof is that of the nonce (RFC 9449 §9).
   * Default: there are no nonces.
   */
  readonly nonceSecret?: Uint8Array
  /** Whether every proof must have a nonce. Needs `nonceSecret`. Default false. */
  readonly requireNonce?: boolean
  /** Where used proofs are remembered. Default: in the memory of this process. */
  readonly replays?: ProofReplays
  /** How many used proofs this process remembers. Default 100,000. Not together with `replays`. */
  readonly memorySize?: number
}

/** All algorithms with a key pair. */
export const ASYMMETRIC = Object.keys(ALGORITHMS).filter((alg) => !alg.startsWith('HS')) as AsymmetricAlgorithm[]

const isBaseUrl = (value: unknown) =>
  parseSecureUrl(value) !== undefined && /^https?:\/\/[^\\?\s]+$/i.test(String(value))

/** What `createDpopVerifier` accepts. */
export const DPOP_OPTIONS: OptionRules<DpopOptions> = {
  example: "{ baseUrl: 'https://api.example.com' }",
  required: ['baseUrl'],
  rules: {
    baseUrl: mustBe(
      'the https URL under which clients reach this API (http on loopback), or a list of such URLs',
      (value) => isListOf([value].flat(), isBaseUrl),
    ),
    required: mustBeBoolean(),
    maxAge: mustBeDuration('from 1 second to 5 minutes', 1, 300),
    algorithms: mustBe(`a list of at least one of ${ASYMMETRIC.join(' ')}`, (value) =>
      isListOf(value, (alg) => (ASYMMETRIC as readonly string[]).includes(alg)),
    ),
    nonceSecret: mustBe('at least 32 octets', (value) => value instanceof Uint8Array && value.length >= 32),
    requireNonce: mustBeBoolean(),
    replays: mustBe(
      'an object with the method add',
      (value) => typeof (value as ProofReplays | null)?.add === 'function',
    ),
    memorySize: mustBeWholeNumber(1000, 10_000_000),
  },
}
