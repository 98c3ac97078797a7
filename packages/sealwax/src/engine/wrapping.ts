import { AuthError } from '../errors.ts'
import { audit } from './audit.ts'
import { type Context, commit } from './context.ts'
import { note } from './installation.ts'
import { signingKeyPlace } from './keys.ts'
import { revokeKid, revokeSessions } from './revocations.ts'
import { type EndReason, sessionKeyPlace } from './sessions.ts'

/** The fingerprint that the installation wraps with: that of whoever started last, so that servers of an old and a new list do not undo each other's work. */
const WRAPPER = 'wrapper'

/** Values rewrapped in one unit: the write lock is never held for long. */
const PAGE = 200

/**
 * Looks, before the port opens, whether this server has every secret that anything stored is wrapped by. Throws `keys_unavailable` with the
 * fingerprints that are missing: a secret was removed too early, or two servers have different ones.
 */
export async function requireSecrets({ store, secrets }: Context): Promise<void> {
  const keys = (await store.committed.signingKeys.list()).map((row) => row.private_jwk)
  const wrapped = [...keys, ...(await store.committed.sessions.wrappers())]
  const missing = wrapped.filter((value) => !secrets.has(value)).map(secrets.fingerprintOf)
  if (missing.length > 0) throw secretsMissing([...new Set(missing)], secrets.fingerprints)
}

/** At a start, so also what to do about it. */
function secretsMissing(wanted: readonly string[], given: readonly string[]): AuthError {
  return new AuthError(
    'keys_unavailable',
    `The server secret with the fingerprint ${wanted.join(', ')} is missing: the database was written with it. ` +
      `The secret given has the fingerprint ${given.join(', ')}. Either give the former secret again, behind a new one if there is one ` +
      `(SEALWAX_SECRET="new,former"); or, if it is lost, type: sealwax secrets forget ${wanted[0]}. That revokes its signing keys and ends its sessions`,
    { retryAfter: 30 },
  )
}

/** Tells the other servers which secret wraps from now on. A store that takes no writes now is rewrapped by whoever starts next. */
export function claimWrapper(context: Context): Promise<void> {
  return note(context, WRAPPER, context.secrets.fingerprint)
}

/**
 * Wraps everything anew that another secret of the list has wrapped, a page in each unit; a value that changed meanwhile is left as it is. Afterwards the other secrets
 * may go. Costs two looks into an index when there is nothing to do.
 */
export async function rewrapSecrets(context: Context, signal: AbortSignal): Promise<void> {
  const { store, secrets } = context
  if ((await store.committed.metadata.get(WRAPPER)) !== secrets.fingerprint) return
  let count = 0
  for (let done = -1; done !== 0 && !signal.aborted; count += done) done = await rewrapPage(context)
  if (count === 0) return
  const data = { fingerprint: secrets.fingerprint, count }
  await commit(context, (unit) => audit(unit, { type: 'secrets.rewrapped', time: context.now(), data }))
}

/** Answers how many values it wrapped anew; 0: nothing is left. */
async function rewrapPage(context: Context): Promise<number> {
  const { store, secrets } = context
  const isOther = (wrapped: Uint8Array) =>
    secrets.fingerprintOf(wrapped) !== secrets.fingerprint && secrets.has(wrapped)
  const keys = (await store.committed.signingKeys.list()).filter((row) => isOther(row.private_jwk))
  const [head] = (await store.committed.sessions.wrappers()).filter(isOther)
  const sessions = head === undefined ? [] : await store.committed.sessions.wrappedBy(head, PAGE)
  if (keys.length + sessions.length === 0) return 0
  const newKeys = keys.flatMap(({ kid, private_jwk: from }) => {
    const to = wrappedAgain(context, from, signingKeyPlace(kid))
    return to === undefined ? [] : [{ kid, from, to }]
  })
  const newSessions = sessions.flatMap(({ id, hmac_key: from }) => {
    const to = wrappedAgain(context, from, sessionKeyPlace(id))
    return to === undefined ? [] : [{ id, from, to }]
  })
  return commit(context, async (unit) => {
    let done = 0
    for (const { kid, from, to } of newKeys) if (await unit.signingKeys.rewrap(kid, from, to)) done += 1
    for (const { id, from, to } of newSessions) if (await unit.sessions.rewrap(id, from, to)) done += 1
    return done
  })
}

/** A value that does not open, though its secret is here, was damaged: it must not keep the others from being wrapped anew. */
function wrappedAgain({ secrets, log }: Context, wrapped: Uint8Array, place: string): Uint8Array | undefined {
  try {
    return secrets.wrap(secrets.unwrap(wrapped, place), place)
  } catch (error) {
    log.error({ err: error, place: place.split('\0').slice(0, 2).join(' ') }, 'a stored key is damaged')
    return undefined
  }
}

/**
 * Gives up what a lost secret has wrapped, so that the server starts again: its signing keys are revoked, its sessions end. Answers how many of each.
 * Throws `config_invalid` when the secret is not lost, or wraps nothing.
 */
export async function forgetSecret(context: Context, fingerprint: string): Promise<{ keys: number; sessions: number }> {
  const { store, secrets } = context
  const isLost = (wrapped: Uint8Array) => secrets.fingerprintOf(wrapped) === fingerprint
  const keys = (await store.committed.signingKeys.list()).filter((row) => isLost(row.private_jwk))
  const head = (await store.committed.sessions.wrappers()).find(isLost)
  const known = [...keys.map((row) => row.private_jwk), ...(head === undefined ? [] : [head])]
  if (known.length === 0) throw new AuthError('config_invalid', 'Nothing is wrapped by a secret of this fingerprint')
  if (known.some(secrets.has)) throw new AuthError('config_invalid', 'This secret is not lost: it is in the list')
  await commit(context, async (unit) => {
    for (const row of keys) {
      const { kid, alg } = row
      await unit.signingKeys.delete(kid)
      await revokeKid(context, unit, row)
      await audit(unit, { type: 'key.revoked', time: context.now(), data: { kid, alg, reason: 'secret_lost' } })
    }
  })
  let sessions = 0
  for (let ended = -1; ended !== 0 && head !== undefined; sessions += ended) ended = await endPage(context, head)
  return { keys: keys.length, sessions }
}

/** Their refresh tokens can never be checked again. The key that replaces theirs has made none. */
async function endPage(context: Context, head: Uint8Array): Promise<number> {
  const { store, secrets, randomBytes, now } = context
  const page = await store.committed.sessions.wrappedBy(head, PAGE)
  if (page.length === 0) return 0
  await commit(context, async (unit) => {
    for (const { id, hmac_key } of page) {
      await unit.sessions.rewrap(id, hmac_key, secrets.wrap(randomBytes(32), sessionKeyPlace(id)))
      const ended = await unit.sessions.end(id, now(), 'secret_lost' satisfies EndReason)
      if (ended !== undefined) await revokeSessions(context, unit, [ended])
    }
    await audit(unit, { type: 'sessions.ended', time: now(), data: { reason: 'secret_lost', count: page.length } })
  })
  return page.length
}
