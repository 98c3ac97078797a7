import { type AsymmetricAlgorithm, toSeconds } from '@sealwax/jwt'
import { spellDuration } from '@sealwax/jwt/internal'
import { type GuardRequest, singleField } from '../request/request.ts'
import { checkOptions } from '../strict-options.ts'
import { createTokenCache, type TokenCache } from '../tokens/cache.ts'
import { andThen, type ValueOrPromise } from '../value-or-promise.ts'
import { createNonces, type Nonces } from './nonces.ts'
import { ASYMMETRIC, DPOP_OPTIONS, type DpopOptions } from './options.ts'
import { checkTarget, type KnownKey, ProofFault, readSignedProof, type SignedProof } from './proof.ts'
import { type InvalidProof, invalid, type NoProof, type ProofResult, type ReadProof, useNonce } from './proof-result.ts'
import { createProofMemory, type ProofReplays } from './replays.ts'
import { urlsOfRequest } from './request-url.ts'
import { useOnce } from './use-once.ts'

/** What a proof was sent with. */
export interface ProofContext {
  /** The access token, of which the proof must contain the hash. Default: there is none. */
  readonly accessToken?: string | undefined
  /** Milliseconds since 1970. Default: now. */
  readonly now?: number
}

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
  /**
   * Checks everything but whether the proof was used before: call `use` of the result once
   * everything else about the request is accepted.
   * @throws {TypeError} as `check`
   */
  read(request: GuardRequest, context?: ProofContext): NoProof | InvalidProof | ReadProof
}

const DEFAULT_MAX_AGE = 60
const DEFAULT_MEMORY = 100_000
const KEYS_KEPT = 2000
const NO_PROOF: NoProof = Object.freeze({ kind: 'none' })

/** The checked options. */
interface Rules {
  readonly bases: readonly string[]
  readonly algorithms: readonly AsymmetricAlgorithm[]
  /** In seconds. */
  readonly maxAge: number
  readonly nonces: Nonces | undefined
  readonly requireNonce: boolean
  readonly replays: ProofReplays
  readonly keys: TokenCache<KnownKey>
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
    bases: [baseUrl].flat().map((url) => url.replace(/\/$/, '')),
    algorithms,
    maxAge: toSeconds(maxAge),
    nonces: nonceSecret === undefined ? undefined : createNonces(nonceSecret),
    requireNonce,
    replays: options.replays ?? createProofMemory(options.memorySize ?? DEFAULT_MEMORY),
    keys: createTokenCache(KEYS_KEPT),
  }
  const read = (request: GuardRequest, context: ProofContext = {}) => readProof(rules, request, context)
  return Object.freeze({
    algorithms,
    required,
    read,
    check(request: GuardRequest, context?: ProofContext): ValueOrPromise<ProofResult> {
      const found = read(request, context)
      return found.kind === 'valid' ? andThen(found.use(), unlessRefused, found.jkt) : found
    },
  })
}

function unlessRefused(refusal: InvalidProof | undefined, jkt: string): ProofResult {
  return refusal ?? { kind: 'valid', jkt }
}

function readProof(
  rules: Rules,
  request: GuardRequest,
  { accessToken, now = Date.now() }: ProofContext,
): NoProof | InvalidProof | ReadProof {
  const proof = singleField(request, 'dpop')
  if (proof === undefined) return NO_PROOF
  const { method, url } = request
  if (method === undefined || url === undefined) {
    throw new TypeError('dpop: the request must have a method and a url, which its proof is for')
  }
  try {
    const signed = readSignedProof(proof, rules.algorithms, rules.keys)
    checkTarget(signed, { method, urls: urlsOfRequest(request, rules.bases), accessToken })
    const until = freshness(rules, signed, now)
    if (typeof until !== 'number') return until
    const use = () => useOnce(rules, request, { signed, until, now })
    return { kind: 'valid', jkt: signed.jkt, use }
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error
    return invalid(error.message)
  }
}

/**
 * Checks when a proof was created, by its nonce or else by its clock.
 * @returns until when it is accepted, in milliseconds since 1970; or the refusal
 */
function freshness({ nonces, requireNonce, maxAge }: Rules, { payload }: SignedProof, now: number) {
  const { nonce, exp } = payload
  const expiry = nonces?.expiryOf(nonce, now)
  if (expiry !== undefined) return expiry
  const offer = nonces?.create(now)
  if (offer !== undefined && nonce !== undefined) return useNonce('The nonce of the proof has expired', offer)
  if (offer !== undefined && requireNonce) return useNonce('The proof has no nonce', offer)
  if (exp !== undefined && exp * 1000 <= now) return invalid('The proof has expired by its claim "exp".')
  const age = now / 1000 - Number(payload.iat)
  if (Math.abs(age) <= maxAge) return (Number(payload.iat) + maxAge) * 1000
  const when = age > 0 ? `${spellDuration(age)} ago` : `${spellDuration(-age)} in the future`
  const sentence = `The proof was created ${when}`
  if (offer !== undefined) return useNonce(sentence, offer)
  return invalid(`${sentence}. Create one for each request, with a clock that is right.`)
}
