import type { GuardRequest } from '../request/request.ts'
import { andThen, type ValueOrPromise } from '../value-or-promise.ts'
import type { Nonces } from './nonces.ts'
import { identityOf, type SignedProof } from './proof.ts'
import { type InvalidProof, invalid, useNonce } from './proof-result.ts'
import type { ProofReplays } from './replays.ts'

/**
 * How long proofs are remembered beyond their time, since the clocks of processes with one place to
 * remember them differ. In milliseconds.
 */
const SKEW = 60_000

/** A proof that is about to be used. */
interface Use {
  readonly signed: SignedProof
  readonly until: number
  readonly now: number
}

/** The part of the checked options that is read. */
interface Place {
  readonly replays: ProofReplays
  readonly nonces: Nonces | undefined
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

/** Marks a proof as used; returns the refusal if it was used before. */
export function useOnce(
  { replays, nonces }: Place,
  { headers }: GuardRequest,
  { signed, until, now }: Use,
): ValueOrPromise<InvalidProof | undefined> {
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
