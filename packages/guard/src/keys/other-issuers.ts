import { unsafeDecode } from '@sealwax/jwt'
import { GuardError } from '../errors.ts'
import type { Trust } from '../trust.ts'

/** As in `verify`. */
const DEFAULT_MEMBERS = 1024

/**
 * Returns the other issuer that a token names. This only selects the keys and rules to verify it
 * with.
 */
export function otherIssuerOf(trust: Trust, token: string): Trust['others'][number] | undefined {
  try {
    const { iss } = unsafeDecode(token, { maxMembers: trust.verification.maxMembers ?? DEFAULT_MEMBERS }).payload
    return trust.others.find(({ issuer, until, isOwn }) => issuer === (iss ?? null) && (!isOwn || trust.now() < until))
  } catch {
    return undefined
  }
}

/** Returns the refusal of a token whose issuer is past its `until`. */
export function pastDate({ challenge }: Trust, { issuer, until }: Trust['others'][number]): GuardError {
  const of = issuer === null ? 'tokens without iss' : `tokens of "${issuer}"`
  const cause = new Error(`${of} are accepted until ${new Date(until).toISOString()}`)
  const detail = 'This API no longer accepts tokens of this issuer. Authenticate again.'
  return new GuardError('token_issuer_invalid', { ...challenge, detail, cause })
}
