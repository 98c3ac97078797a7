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

/** The request has no DPoP header. */
interface NoProof {
  readonly kind: 'none'
}

/** A proof that is refused. */
export interface InvalidProof {
  /** It is refused. */
  readonly kind: 'invalid'
  /** A sentence for the client. */
  readonly detail: string
  /**
   * For the field `DPoP-Nonce` of the reply, whose error is then `use_dpop_nonce`. Without it, the
   * error is `invalid_dpop_proof` (RFC 9449 §5, §8).
   */
  readonly nonce?: string
}

/**
 * The sender has the private key whose public key has this RFC 7638 thumbprint, unless it sent a
 * proof again that somebody else made: `use` tells.
 */
export interface ReadProof {
  /** It is accepted, unless it was used before. */
  readonly kind: 'valid'
  /** The thumbprint. */
  readonly jkt: string
  /**
   * Marks the proof as used. Rejects if `replays` fails.
   * @returns `undefined` if this request is the first with it, or else the refusal
   */
  use(): ValueOrPromise<InvalidProof | undefined>
}

/** The result of {@link DpopVerifier.check}. */
export type ProofResult = NoProof | InvalidProof | { readonly kind: 'valid'; readonly jkt: string }

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

const ASYMMETRIC = Object.keys(ALGORITHMS).filter((alg) => !alg.startsWith('HS')) as AsymmetricAlgorithm[]

const isBaseUrl = (value: unknown) =>
  parseSecureUrl(value) !== undefined && /^https?:\/\/[^\\?\s]+$/i.test(String(value))

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
const NO_PROOF: NoProof = Object.freeze({ kind: 'none' })
/**
 * How long proofs are remembered beyond their time, since the clocks of processes with one place to
 * remember them differ. In milliseconds.
 */
const SKEW = 60_000

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
    bases: [baseUrl].flat().map((url) => url.replace(/\/$/, '')),
    algorithms,
    maxAge: toSeconds(maxAge),
    nonces: nonceSecret === undefined ? undefined : createNonces(nonceSecret),
    requireNonce,
    replays: options.replays ?? createProofMemory(options.memorySize ?? DEFAULT_MEMORY),
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
    const signed = readSignedProof(proof, rules.algorithms)
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

interface Use {
  readonly signed: SignedProof
  readonly until: number
  readonly now: number
}

/** The proof that came with a request, and what became of it. */
interface Used {
  readonly identity: string
  readonly isFirst: ValueOrPromise<boolean>
}

/**
 * By the place where proofs are remembered, and by the object with the header fields, which belongs
 * to one request: several guards may check it, one for all routes and one for this route.
 */
const uses = new WeakMap<ProofReplays, WeakMap<object, Used>>()

function useOnce({ replays, nonces }: Rules, { headers }: GuardRequest, { signed, until, now }: Use) {
  const identity = identityOf(signed)
  const byHeaders = uses.get(replays) ?? new WeakMap<object, Used>()
  uses.set(replays, byHeaders)
  const known = byHeaders.get(headers)
  const isFirst = known?.identity === identity ? known.isFirst : add(replays, identity, until + SKEW, now, signed.jkt)
  byHeaders.set(headers, { identity, isFirst })
  // A client that sends many requests with one nonce may get another one.
  const offer = signed.payload.nonce === undefined ? undefined : nonces?.create(now)
  return andThen(isFirst, unlessUsed, offer)
}

/** Not every promise is one of this realm, and a promise is not `true`. */
function add(replays: ProofReplays, ...proof: Parameters<ProofReplays['add']>): ValueOrPromise<boolean> {
  try {
    const isFirst = replays.add(...proof)
    return typeof isFirst === 'boolean' ? isFirst : Promise.resolve(isFirst).then((first) => first === true)
  } catch (error) {
    return Promise.reject(error)
  }
}

function unlessUsed(isFirst: boolean, offer: string | undefined): InvalidProof | undefined {
  if (isFirst) return undefined
  return offer === undefined
    ? invalid('The proof was used before. Create one for each request.')
    : useNonce('The proof was used before', offer)
}

function invalid(detail: string): InvalidProof {
  return { kind: 'invalid', detail }
}

function useNonce(sentence: string, nonce: string): InvalidProof {
  const detail = `${sentence}. Send one with the nonce in the header DPoP-Nonce.`
  return { kind: 'invalid', detail, nonce }
}
