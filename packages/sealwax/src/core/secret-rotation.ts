import { AuthError } from '../errors.ts'
import { audit } from './audit.ts'
import type { Context, WrappedValue, WrappedValues } from './context.ts'
import { note } from './installation.ts'
import { commit } from './unit-of-work.ts'

/**
 * The fingerprint of the secret that wraps, set by the server that started last, so that servers
 * with an old and a new list do not undo each other's work.
 */
const WRAPPER = 'wrapper'

/** Values rewrapped per transaction, so that the write lock is never held for long. */
const PAGE = 200

/**
 * Checks at startup that this server has every secret that wraps a stored value.
 *
 * @throws {AuthError} `keys_unavailable` with the missing fingerprints: a secret was removed too
 * early, or two servers have different secrets
 */
export async function requireSecrets(context: Context): Promise<void> {
  const { secrets } = context
  const heads = await Promise.all(allWrapped(context).map((wrapped) => wrapped.heads(context)))
  const missing = heads
    .flat()
    .filter((value) => !secrets.has(value))
    .map(secrets.fingerprintOf)
  if (missing.length > 0) throw secretsMissing([...new Set(missing)], secrets.fingerprints)
}

/** The error at startup. Its message also describes what to do. */
function secretsMissing(wanted: readonly string[], given: readonly string[]): AuthError {
  return new AuthError(
    'keys_unavailable',
    `The server secret with the fingerprint ${wanted.join(', ')} is missing: the database was written with it. ` +
      `The secret given has the fingerprint ${given.join(', ')}. Add the former secret again, after the new one ` +
      `(secret: [new, former] or SEALWAX_SECRET="new,former"; in a secret file, on a line of its own). ` +
      `If it is lost, run: sealwax secrets forget ${wanted[0]}. That revokes its signing keys and ends its sessions`,
    { retryAfter: 30 },
  )
}

/** Stores which secret wraps from now on, for the other servers. */
export function claimWrapper(context: Context): Promise<void> {
  return note(context, WRAPPER, context.secrets.fingerprint)
}

/**
 * Rewraps everything that is wrapped by another secret of the list, one page per transaction. Then
 * the other secrets may be removed. Values that change meanwhile are skipped. If there is nothing
 * to do, it only takes a few short reads.
 */
export async function rewrapSecrets(context: Context, signal: AbortSignal): Promise<void> {
  const { store, secrets } = context
  if ((await store.committed.metadata.get(WRAPPER)) !== secrets.fingerprint) return
  const isOther = (value: Uint8Array) => secrets.fingerprintOf(value) !== secrets.fingerprint && secrets.has(value)
  let count = 0
  for (const wrapped of allWrapped(context)) {
    for (const head of (await wrapped.heads(context)).filter(isOther)) {
      count += await rewrapAll(context, wrapped, head, signal)
    }
  }
  if (count === 0) return
  const data = { fingerprint: secrets.fingerprint, count }
  await commit(context, (unit) => audit(unit, { type: 'secrets.rewrapped', time: context.now(), data }))
}

/** Rewraps what one secret wraps; returns how many values that were. */
async function rewrapAll(
  context: Context,
  wrapped: WrappedValues,
  head: Uint8Array,
  signal: AbortSignal,
): Promise<number> {
  let count = 0
  while (!signal.aborted) {
    const done = await rewrapPage(context, wrapped, head)
    if (done === 0) break
    count += done
  }
  return count
}

/** Returns how many values it rewrapped, 0 when none is left but damaged ones. */
async function rewrapPage(context: Context, wrapped: WrappedValues, head: Uint8Array): Promise<number> {
  const rewrapped = (await wrapped.wrappedBy(context, head, PAGE)).flatMap((from) => {
    const to = rewrapValue(context, from)
    return to === undefined ? [] : [{ from, to }]
  })
  return commit(context, async (unit) => {
    let done = 0
    for (const { from, to } of rewrapped) if (await wrapped.rewrap(unit, from, to)) done += 1
    return done
  })
}

/** Returns undefined for a damaged value, which must not stop the others from being rewrapped. */
function rewrapValue({ secrets, log }: Context, { value, place }: WrappedValue): Uint8Array | undefined {
  try {
    return secrets.wrap(secrets.unwrap(value, place), place)
  } catch (error) {
    log.error({ err: error, place: place.split('\0').slice(0, 2).join(' ') }, 'a stored key is damaged')
    return undefined
  }
}

/**
 * Gives up what a lost secret wraps, so that the server can start again: its signing keys are
 * revoked and its sessions end.
 *
 * @returns how many of each were still in use, by their noun
 * @throws {AuthError} `config_invalid` when the secret is not lost, or wraps nothing
 */
export async function forgetSecret(context: Context, fingerprint: string): Promise<Readonly<Record<string, number>>> {
  const { secrets } = context
  const isLost = (value: Uint8Array) => secrets.fingerprintOf(value) === fingerprint
  const counts: Record<string, number> = {}
  let known = false
  for (const wrapped of allWrapped(context)) {
    counts[wrapped.noun] = 0
    const head = (await wrapped.heads(context)).find(isLost)
    if (head === undefined) continue
    if (secrets.has(head)) throw new AuthError('config_invalid', 'This secret is not lost: it is one of those given')
    known = true
    counts[wrapped.noun] = await forgetAll(context, wrapped, head)
  }
  if (!known) throw new AuthError('config_invalid', 'Nothing is encrypted with a secret of this fingerprint')
  return counts
}

async function forgetAll(context: Context, wrapped: WrappedValues, head: Uint8Array): Promise<number> {
  let count = 0
  for (;;) {
    const page = await wrapped.wrappedBy(context, head, PAGE)
    if (page.length === 0) return count
    count += await commit(context, (unit) => wrapped.forget(context, unit, page))
  }
}

function allWrapped({ features }: Context): readonly WrappedValues[] {
  return features.flatMap(({ wrapped }) => wrapped ?? [])
}
