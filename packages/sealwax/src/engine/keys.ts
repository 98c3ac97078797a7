import { exportJwk, generateKey, importKey, type Jwk, type SigningKey, type VerificationKey } from '@sealwax/jwt'
import { AuthError } from '../errors.ts'
import type { SigningKeyRow } from '../store/contract/signing-keys.ts'
import { Conflict } from '../store/contract/store.ts'
import { audit } from './audit.ts'
import { type AuditEventType, type Context, commit, type Unit } from './context.ts'
import {
  JWKS_LIFETIME,
  type KeyState,
  listedKeys,
  nextChange,
  nextSigning,
  SIGNING_DEADLINE,
  scheduleOf,
  signerAt,
} from './key-schedule.ts'
import { missingSecret } from './secrets.ts'

/** The keys this process signs and verifies with. Filled by `openKeys`, renewed by `reloadKeys`. */
export interface KeyRing {
  rows: readonly SigningKeyRow[]
  /** Whatever may sign or be verified, by `kid`. */
  keys: ReadonlyMap<string, SigningKey>
  /** What a guard may verify with: the same array until the keys change. */
  verifying: readonly VerificationKey[]
  /** When the keys were last read from the store, on the clock of `elapsed`. */
  readAt: number
  /** Why they could not be read since, if that is about a secret. */
  problem: AuthError | undefined
}

/** The public keys, and for how many seconds whoever reads them may keep them. */
export interface PublishedKeys {
  readonly keys: readonly Jwk[]
  readonly maxAge: number
}

export function createKeyRing(): KeyRing {
  return { rows: [], keys: new Map(), verifying: [], readAt: 0, problem: undefined }
}

/** Reads the signing keys, and makes those that the schedule asks for. A store that takes no writes is no obstacle while there is a key to sign with. */
export async function openKeys(context: Context): Promise<void> {
  await reloadKeys(context)
  try {
    await tendKeys(context)
  } catch (error) {
    const waits = error instanceof AuthError && error.code === 'temporarily_unavailable'
    if (!waits || context.keys.rows.length === 0) throw error
    context.log.warn({ err: error }, 'signing keys could not be tended')
  }
}

/** Brings this process's keys up to date with the store. Throws `keys_unavailable` when one is wrapped by a secret that is not known here. */
export async function reloadKeys(context: Context): Promise<void> {
  const { store, elapsed, now, keys: ring } = context
  const asked = elapsed()
  const rows = await store.committed.signingKeys.list()
  // Another reading was asked for later and has answered before.
  if (asked < ring.readAt) return
  const usable = scheduleOf(rows, now()).filter(({ state }) => state !== 'revoked' && state !== 'retired')
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

/** Reads the keys again when it is time to, for the one who follows the store anyway. */
export async function refreshKeys(context: Context, { now: urgently }: { now: boolean }): Promise<void> {
  if (!urgently && context.elapsed() - context.keys.readAt <= RELOAD_EVERY) return
  try {
    await reloadKeys(context)
  } catch (error) {
    if (error instanceof AuthError && error.code === 'keys_unavailable') context.keys.problem = error
    throw error
  }
}

const RELOAD_EVERY = 5000

/** The key that signs now. Throws `keys_unavailable` when there is none, or when the keys were not read for so long that another may have to sign. */
export function signingKey({ keys: ring, now, elapsed }: Context): SigningKey {
  if (elapsed() - ring.readAt > SIGNING_DEADLINE) {
    throw ring.problem ?? new AuthError('keys_unavailable', 'The signing keys could not be read', { retryAfter: 5 })
  }
  const key = ring.keys.get(signerAt(ring.rows, now())?.kid ?? '')
  if (key === undefined) throw new AuthError('keys_unavailable', 'There is no signing key', { retryAfter: 5 })
  return key
}

/** The JWK Set (RFC 7517 §5): every key that signs, will sign, or has signed what is still alive. HMAC keys are never in it. */
export function publishedKeys({ keys: { rows }, now }: Context): PublishedKeys {
  const schedule = scheduleOf(rows, now())
  const keys = listedKeys(schedule, now()).flatMap(({ public_jwk }) => (public_jwk === null ? [] : [public_jwk as Jwk]))
  const kept = Math.min(JWKS_LIFETIME, nextChange(schedule, now()) - now())
  return { keys, maxAge: Math.ceil(kept / 1000) }
}

/** Makes the keys that the schedule asks for, tells the audit log what became of the others, and forgets those that are retired. */
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

/** Whoever gives tokens a longer life says so long before it signs with a key: a standby waits for longer than this takes. */
async function raiseAccessTtl({ store, config }: Context): Promise<void> {
  const rows = await store.committed.signingKeys.list()
  if (rows.every((row) => row.access_ttl >= config.accessTtl)) return
  await store.transaction((facts) => facts.signingKeys.raiseAccessTtl(config.accessTtl))
}

/** More than one is made on the first start, after a long pause, and when keys sign for a shorter time than they are published ahead. */
const MOST_AT_ONCE = 16

const ORDER: readonly string[] = ['published', 'signing', 'retiring', 'retired']

const EVENTS: Readonly<Record<Exclude<KeyState, 'revoked'>, AuditEventType>> = {
  published: 'key.created',
  signing: 'key.activated',
  retiring: 'key.retiring',
  retired: 'key.retired',
}

/** Every move is told once, by the process that notes it first. A retired key is deleted: its private half must not outlive its use. */
async function announceStates(context: Context): Promise<void> {
  const time = context.now()
  const schedule = scheduleOf(await context.store.committed.signingKeys.list(), time)
  for (const { row, state } of schedule) {
    // Only forward: a server whose clock is behind tells no old news.
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

/** A key that is not stored yet. */
export type PreparedKey = Omit<SigningKeyRow, 'sequence' | 'signs_from'>

/** Making a key takes time, so it is done before a transaction begins. */
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

export async function insertKey(context: Context, unit: Unit, row: SigningKeyRow): Promise<void> {
  await unit.signingKeys.insert(row)
  const data = { kid: row.kid, alg: row.alg, signs_from: row.signs_from }
  await audit(unit, { type: 'key.created', time: context.now(), data })
}

async function createKey(context: Context): Promise<void> {
  const prepared = await prepareKey(context)
  try {
    await commit(context, async (unit) => {
      const rows = await unit.signingKeys.list()
      // Keys of two secrets would shut both servers out.
      for (const row of rows) requireSecret(context, row)
      // Only what is read in here counts: on SQLite nobody else writes meanwhile, on Postgres the number is what only one can take.
      const signs_from = nextSigning(rows, context.now(), context.config)
      if (signs_from === undefined) return
      await insertKey(context, unit, { ...prepared, signs_from, sequence: (rows.at(-1)?.sequence ?? 0) + 1 })
    })
  } catch (error) {
    // Another process made this number first: its key is the one.
    if (!(error instanceof Conflict)) throw error
  }
}

function requireSecret({ secrets }: Context, row: SigningKeyRow): void {
  if (!secrets.has(row.private_jwk)) throw missingSecret([secrets.fingerprintOf(row.private_jwk)])
}

function unwrapKey(context: Context, row: SigningKeyRow): SigningKey {
  const jwk = JSON.parse(context.secrets.unwrap(row.private_jwk, signingKeyPlace(row.kid)).toString())
  // A JWK says EdDSA for Ed25519, too; the row knows which of the two names its tokens carry.
  return importKey(jwk, { alg: row.alg as SigningKey['alg'] }) as SigningKey
}

/** Binds a wrapped signing key to its row. */
export function signingKeyPlace(kid: string): string {
  return `signing_keys\0${kid}\0private_jwk`
}
