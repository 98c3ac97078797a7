import { exportJwk, generateKey, importKey, type Jwk, type SigningKey, type VerificationKey } from '@sealwax/jwt'
import { audit } from '../core/audit.ts'
import { type Context, perContext } from '../core/context.ts'
import type { AuditEventType } from '../core/events.ts'
import { FEED_EPOCH } from '../core/metadata-contract.ts'
import { missingSecret } from '../core/secrets.ts'
import { Conflict, commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import type { SigningKeyRow } from './contract.ts'
import {
  createSchedule,
  JWKS_LIFETIME,
  type KeyState,
  listedKeys,
  nextChange,
  nextSigning,
  SIGNING_DEADLINE,
  signerAt,
} from './schedule.ts'

/**
 * The keys that this process signs and verifies with. Filled by `openKeys`, renewed by
 * `reloadKeys`.
 */
export interface KeyRing {
  /** All keys as they are stored. */
  rows: readonly SigningKeyRow[]
  /** Keys that are neither retired nor revoked, by `kid`. */
  keys: ReadonlyMap<string, SigningKey>
  /** The keys for guards: the same array until they change. */
  verifying: readonly VerificationKey[]
  /** When the keys were last read from the store, on the clock of `elapsed`. */
  readAt: number
  /** Why the last read failed, if a secret is missing. */
  problem: AuthError | undefined
}

/** The keys of the JWK Set. */
export interface PublishedKeys {
  /** The public keys. */
  readonly keys: readonly Jwk[]
  /** How long they may be cached, in seconds. */
  readonly maxAge: number
}

/** The keys of this process. */
export const keyRing = perContext(
  (): KeyRing => ({ rows: [], keys: new Map(), verifying: [], readAt: 0, problem: undefined }),
)

/**
 * Reads the signing keys and creates those that are due. A store that accepts no writes is an error
 * only if there are no keys.
 */
export async function openKeys(context: Context): Promise<void> {
  await reloadKeys(context)
  try {
    await tendKeys(context)
  } catch (error) {
    const isTemporary = error instanceof AuthError && error.code === 'temporarily_unavailable'
    if (!isTemporary || keyRing(context).rows.length === 0) throw error
    context.log.warn({ err: error }, 'signing keys could not be maintained')
  }
}

/**
 * Reads the keys of this process from the store.
 *
 * @throws {AuthError} `keys_unavailable` when a key is wrapped by a secret that is missing
 */
export async function reloadKeys(context: Context): Promise<void> {
  const { store, elapsed, now } = context
  const ring = keyRing(context)
  const asked = elapsed()
  const rows = await store.committed.signingKeys.list()
  // A read that started later has already finished.
  if (asked < ring.readAt) return
  const usable = createSchedule(rows, now()).filter(({ state }) => state !== 'revoked' && state !== 'retired')
  const keys = new Map(usable.map(({ row }) => [row.kid, ring.keys.get(row.kid) ?? unwrapKey(context, row)]))
  const changed = keys.size !== ring.keys.size || [...keys.keys()].some((kid) => !ring.keys.has(kid))
  ring.rows = rows
  if (changed) {
    ring.keys = keys
    ring.verifying = [...keys.values()].map((key) => key.publicKey ?? key)
  }
  ring.readAt = asked
  ring.problem = undefined
}

/**
 * Reads the keys again if the last read is more than 5 seconds old, or in any case with `force`.
 */
export async function refreshKeys(context: Context, { force }: { force: boolean }): Promise<void> {
  if (!force && context.elapsed() - keyRing(context).readAt <= RELOAD_EVERY) return
  try {
    await reloadKeys(context)
  } catch (error) {
    if (error instanceof AuthError && error.code === 'keys_unavailable') keyRing(context).problem = error
    throw error
  }
}

const RELOAD_EVERY = 5000

/**
 * Returns the key that signs now.
 *
 * @throws {AuthError} `keys_unavailable` when there is none, or when the last read is so old that
 * another key may have taken over
 */
export function signingKey(context: Context): SigningKey {
  const { now, elapsed } = context
  const ring = keyRing(context)
  if (elapsed() - ring.readAt > SIGNING_DEADLINE) {
    throw ring.problem ?? new AuthError('keys_unavailable', 'The signing keys could not be read', { retryAfter: 5 })
  }
  const key = ring.keys.get(signerAt(ring.rows, now())?.kid ?? '')
  if (key === undefined) throw new AuthError('keys_unavailable', 'There is no signing key', { retryAfter: 5 })
  return key
}

/**
 * Returns the JWK Set (RFC 7517 §5): every key that signs, will sign, or has signed tokens that are
 * still valid, without HMAC keys.
 */
export function publishedKeys(context: Context): PublishedKeys {
  const { now } = context
  const { rows } = keyRing(context)
  const schedule = createSchedule(rows, now())
  const keys = listedKeys(schedule, now()).flatMap(({ public_jwk }) => (public_jwk === null ? [] : [public_jwk as Jwk]))
  const kept = Math.min(JWKS_LIFETIME, nextChange(schedule, now()) - now())
  return { keys, maxAge: Math.ceil(kept / 1000) }
}

/**
 * Creates the keys that are due, writes changes of state to the audit log, and deletes retired
 * keys.
 */
export async function tendKeys(context: Context): Promise<void> {
  for (let made = 0; made < MOST_AT_ONCE; made += 1) {
    const { signingKeys } = context.store.committed
    if (nextSigning(await signingKeys.list(), context.now(), context.config) === undefined) break
    await createKey(context)
  }
  await raiseAccessTtl(context)
  await announceStates(context)
  await reloadKeys(context)
}

/**
 * Writes a longer `accessTtl` to all keys before this server signs with them, so that no server
 * retires a key too early. A standby is published for longer than this takes.
 */
async function raiseAccessTtl({ store, config }: Context): Promise<void> {
  const rows = await store.committed.signingKeys.list()
  if (rows.every((row) => row.access_ttl >= config.accessTtl)) return
  await store.transaction((facts) => facts.signingKeys.raiseAccessTtl(config.accessTtl))
}

/**
 * Several are created at the first start, after a long pause, and when `keyPeriod` is shorter than
 * `LEAD`.
 */
const MOST_AT_ONCE = 16

const ORDER: readonly string[] = ['published', 'signing', 'retiring', 'retired']

const EVENTS: Readonly<Record<Exclude<KeyState, 'revoked'>, AuditEventType>> = {
  published: 'key.created',
  signing: 'key.activated',
  retiring: 'key.retiring',
  retired: 'key.retired',
}

/**
 * Writes each change of state to the audit log once: by the process that notices it first. Deletes
 * retired keys, so that no private key is stored for longer than it is used.
 */
async function announceStates(context: Context): Promise<void> {
  const time = context.now()
  const schedule = createSchedule(await context.store.committed.signingKeys.list(), time)
  for (const { row, state } of schedule) {
    // Only forward: the clock of this server may be behind.
    if (state === 'revoked' || ORDER.indexOf(state) <= ORDER.indexOf(row.announced)) continue
    await commit(context, async (unit) => {
      const first =
        state === 'retired'
          ? await unit.signingKeys.delete(row.kid)
          : await unit.signingKeys.announce(row.kid, row.announced, state)
      if (first) await audit(unit, { type: EVENTS[state], time, data: { kid: row.kid, alg: row.alg } })
    })
  }
}

/** A key that is not stored yet, without its place in the schedule. */
export type PreparedKey = Omit<SigningKeyRow, 'sequence' | 'signs_from'>

/** Generates a key. This takes time, so it is done before a transaction begins. */
export async function prepareKey(context: Context): Promise<PreparedKey> {
  const { config, secrets, now } = context
  const key = await generateKey(config.alg)
  return {
    kid: key.kid,
    alg: key.alg,
    public_jwk: key.publicKey === undefined ? null : { ...exportJwk(key.publicKey) },
    private_jwk: secrets.wrap(Buffer.from(JSON.stringify(exportJwk(key, { private: true }))), signingKeyPlace(key.kid)),
    created_at: now(),
    revoked_at: null,
    access_ttl: config.accessTtl,
    announced: 'published',
  }
}

/** Stores a key and writes `key.created`. */
export async function insertKey(context: Context, unit: Unit, row: SigningKeyRow): Promise<void> {
  await unit.signingKeys.insert(row)
  const data = { kid: row.kid, alg: row.alg, signs_from: row.signs_from }
  await audit(unit, { type: 'key.created', time: context.now(), data })
}

async function createKey(context: Context): Promise<void> {
  const key = await prepareKey(context)
  try {
    await commit(context, async (unit) => {
      const rows = await unit.signingKeys.list()
      // If keys were wrapped by two different secrets, neither of the two servers could start.
      for (const row of rows) requireSecret(context, row)
      // Read inside the transaction: on SQLite no other process writes meanwhile, on Postgres only
      // one process can insert the next sequence.
      const signs_from = nextSigning(rows, context.now(), context.config)
      if (signs_from === undefined) return
      await insertKey(context, unit, { ...key, signs_from, sequence: (rows.at(-1)?.sequence ?? 0) + 1 })
    })
  } catch (error) {
    // Another process was faster: its key is used.
    if (!(error instanceof Conflict)) throw error
  }
}

function requireSecret({ secrets }: Context, row: SigningKeyRow): void {
  if (!secrets.has(row.private_jwk)) throw missingSecret([secrets.fingerprintOf(row.private_jwk)])
}

function unwrapKey(context: Context, row: SigningKeyRow): SigningKey {
  const jwk = JSON.parse(context.secrets.unwrap(row.private_jwk, signingKeyPlace(row.kid)).toString())
  // Ed25519 keys have two algorithm names (EdDSA, Ed25519); the row has the one of its tokens.
  return importKey(jwk, { alg: row.alg as SigningKey['alg'] }) as SigningKey
}

/** The place of a wrapped signing key, see `WrappedValue`. */
export function signingKeyPlace(kid: string): string {
  return `signing_keys\0${kid}\0private_jwk`
}

/**
 * Whether this is the first start of a database that was copied or restored: it has keys, but no
 * epoch. It lacks the revocations since the copy was made, which remote guards have.
 */
export async function isCopy({ store }: Context): Promise<boolean> {
  // In this order: a new database gets its epoch before its first key.
  const hasKeys = (await store.committed.signingKeys.list()).length > 0
  return hasKeys && (await store.committed.metadata.get(FEED_EPOCH)) === undefined
}
