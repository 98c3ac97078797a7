import type { AsymmetricAlgorithm, Duration } from '@sealwax/jwt'
import { toSeconds } from '@sealwax/jwt'
import { spellDuration } from '@sealwax/jwt/internal'
import { ALGORITHMS } from '../algorithms.ts'
import { type GuardRequest, singleField } from '../request/request.ts'
import {
  checkOptions,
  isListOf,
  mustBe,
  mustBeBoolean,
  mustBeDuration,
  mustBeWholeNumber,
  type OptionRules,
} from '../strict-options.ts'
import { parseSecureUrl } from '../urls.ts'
import { andThen, type ValueOrPromise } from '../value-or-promise.ts'
import { createNonces, type Nonces } from './nonces.ts'
import { checkTarget, identityOf, ProofFault, readSignedProof, type SignedProof } from './proof.ts'
import { createProofMemory, type ProofReplays } from './replays.ts'
import { urlsOfRequest } from './request-url.ts'

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

/** What a proof was sent with. */
export interface ProofContext {
  /** The access token, of which the proof must contain the hash. Default: there is none. */
  readonly accessToken?: string | undefined
  /** Milliseconds since 1970. Default: now. */
  readonly now?: number
}

/** The result of {@link DpopVerifier.check}. */
export type ProofResult =
  /** The request has no DPoP header. */
  | { readonly kind: 'none' }
  /** The sender has the private key whose public key has this RFC 7638 thumbprint. */
  | { readonly kind: 'valid'; readonly jkt: string }
  /**
   * The `detail` is a sentence for the client. With a `nonce`, which goes into the field
   * `DPoP-Nonce`, the error is `use_dpop_nonce`, else `invalid_dpop_proof` (RFC 9449 §5, §8).
   */
  | { readonly kind: 'invalid'; readonly detail: string; readonly nonce?: string }

/** Checks proofs of possession. Frozen. */
export interface DpopVerifier {
  /** The accepted algorithms, for challenges and metadata. */
  readonly algorithms: readonly AsymmetricAlgorithm[]
  /** See {@link DpopOptions}. */
  readonly required: boolean
  /**
   * Checks the proof of a request (RFC 9449 §4.3). Each proof is accepted once, however often it is
   * checked for the same request. A promise only if `replays` returns one.
   * @throws {TypeError} if the request has no `method` or no `url`
   */
  check(request: GuardRequest, context?: ProofContext): ValueOrPromise<ProofResult>
}

const ASYMMETRIC = Object.keys(ALGORITHMS).filter((alg) => !alg.startsWith('HS')) as AsymmetricAlgorithm[]

const isBaseUrl = (value: unknown) => {
  const url = parseSecureUrl(value)
  return url !== undefined && url.search === ''
}

const DPOP_OPTIONS: OptionRules<DpopOptions> = {
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

const DEFAULT_MAX_AGE = 60
const DEFAULT_MEMORY = 100_000
const NO_PROOF: ProofResult = Object.freeze({ kind: 'none' })

/** The checked options. */
interface Rules {
  readonly bases: readonly string[]
  readonly algorithms: readonly AsymmetricAlgorithm[]
  /** In seconds. */
  readonly maxAge: number
  readonly nonces: Nonces | undefined
  readonly requireNonce: boolean
  readonly replays: ProofReplays
}

/**
 * Creates what a guard needs to accept tokens that are bound to a key of their sender (DPoP, RFC
 * 9449): `createGuard({ issuer, audience, dpop: createDpopVerifier({ baseUrl }) })`.
 * @throws {TypeError} for options that are unknown, missing, `undefined` or not accepted
 */
export function createDpopVerifier(options: DpopOptions): DpopVerifier {
  checkOptions('createDpopVerifier', options, DPOP_OPTIONS)
  const { baseUrl, required = false, maxAge = DEFAULT_MAX_AGE, nonceSecret, requireNonce = false } = options
  if (requireNonce && nonceSecret === undefined) {
    throw new TypeError('createDpopVerifier: requireNonce needs nonceSecret')
  }
  if (options.replays !== undefined && options.memorySize !== undefined) {
    throw new TypeError('createDpopVerifier: replays and memorySize cannot be combined')
  }
  const algorithms = Object.freeze([...(options.algorithms ?? ASYMMETRIC)])
  const rules: Rules = {
    bases: [baseUrl].flat(),
    algorithms,
    maxAge: toSeconds(maxAge),
    nonces: nonceSecret === undefined ? undefined : createNonces(nonceSecret),
    requireNonce,
    replays: options.replays ?? createProofMemory(options.memorySize ?? DEFAULT_MEMORY),
  }
  // Several guards may check one request: one for all routes, and one for this route.
  const accepted: Accepted = new WeakMap()
  return Object.freeze({
    algorithms,
    required,
    check: (request: GuardRequest, { accessToken, now = Date.now() }: ProofContext = {}) => {
      const proof = singleField(request, 'dpop')
      if (proof === undefined) return NO_PROOF
      const { method, url } = request
      if (method === undefined || url === undefined) {
        throw new TypeError('dpop: the request must have a method and a url, which its proof is for')
      }
      const sent: Sent = { request, proof, accessToken, method, url }
      const known = accepted.get(request.headers)
      if (known !== undefined && isSame(known.sent, sent)) return known.result
      return andThen(checkProof(rules, sent, now), remember, { accepted, sent })
    },
  })
}

interface Sent {
  readonly request: GuardRequest
  readonly proof: string
  readonly accessToken: string | undefined
  readonly method: string
  readonly url: string
}

/** By the object with the header fields, which belongs to one request. */
type Accepted = WeakMap<object, { readonly sent: Sent; readonly result: ProofResult }>

function remember(result: ProofResult, { accepted, sent }: { accepted: Accepted; sent: Sent }): ProofResult {
  if (result.kind === 'valid') accepted.set(sent.request.headers, { sent, result })
  return result
}

function isSame(one: Sent, other: Sent): boolean {
  const { proof, accessToken, method, url } = one
  const isSameTarget = method === other.method && url === other.url
  return isSameTarget && proof === other.proof && accessToken === other.accessToken
}

function checkProof(
  rules: Rules,
  { request, proof, accessToken, method }: Sent,
  now: number,
): ValueOrPromise<ProofResult> {
  try {
    const signed = readSignedProof(proof, rules.algorithms)
    checkTarget(signed, { method, urls: urlsOfRequest(request, rules.bases), accessToken })
    const fresh = freshness(rules, signed, now)
    if (typeof fresh !== 'number') return fresh
    return andThen(rules.replays.add(identityOf(signed), fresh, now), unlessUsed, signed)
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error
    return invalid(error.message)
  }
}

/**
 * Checks when a proof was created, by its nonce or else by its clock.
 * @returns until when it must be remembered, in milliseconds since 1970; or the refusal
 */
function freshness({ nonces, requireNonce, maxAge }: Rules, { payload }: SignedProof, now: number) {
  const { nonce } = payload
  const expiry = nonces?.expiryOf(nonce, now)
  if (expiry !== undefined) return expiry
  const nonceOffer = nonces?.create(now)
  if (nonceOffer !== undefined && nonce !== undefined) return useNonce('The nonce of the proof has expired', nonceOffer)
  if (nonceOffer !== undefined && requireNonce) return useNonce('The proof has no nonce', nonceOffer)
  const age = now / 1000 - Number(payload.iat)
  if (Math.abs(age) <= maxAge) return (Number(payload.iat) + maxAge) * 1000
  const sentence =
    age > 0
      ? `The proof was created ${spellDuration(age)} ago`
      : `The proof was created ${spellDuration(-age)} in the future`
  if (nonceOffer !== undefined) return useNonce(sentence, nonceOffer)
  return invalid(`${sentence}. Create one for each request, with a clock that is right.`)
}

function unlessUsed(isNew: boolean, { jkt }: SignedProof): ProofResult {
  return isNew ? { kind: 'valid', jkt } : invalid('The proof was used before. Create one for each request.')
}

function invalid(detail: string): ProofResult & { kind: 'invalid' } {
  return { kind: 'invalid', detail }
}

function useNonce(sentence: string, nonce: string): ProofResult & { kind: 'invalid' } {
  const detail = `${sentence}. Send one with the nonce in the header DPoP-Nonce.`
  return { kind: 'invalid', detail, nonce }
}
