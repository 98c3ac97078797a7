import { exportJwk, generateKey, importKey, type Jwk, type SigningKey, type VerificationKey } from '@sealwax/jwt'
import { AuthError } from '../errors.ts'
import type { SigningKeyRow } from '../store/contract/signing-keys.ts'
import { Conflict } from '../store/contract/store.ts'
import { audit } from './audit.ts'
import { type Context, commit } from './context.ts'

/** The keys this process signs and verifies with. Filled by `openKeys`. */
export interface KeyRing {
  entries: readonly KeyEntry[]
  /** What a guard may verify with: the same array until the keys change. */
  verifying: readonly VerificationKey[]
  /** The public keys (RFC 7517 §5); HMAC keys are never in it. */
  published: { readonly keys: readonly Jwk[] }
}

interface KeyEntry {
  readonly row: SigningKeyRow
  readonly key: SigningKey
}

export function createKeyRing(): KeyRing {
  return { entries: [], verifying: [], published: { keys: [] } }
}

/** Reads the signing keys, and makes the first one of the configured algorithm when there is none. */
export async function openKeys(context: Context): Promise<void> {
  let rows = await context.store.committed.signingKeys.list()
  if (!rows.some((row) => row.alg === context.config.alg)) {
    await createKey(context, (rows.at(-1)?.sequence ?? 0) + 1)
    rows = await context.store.committed.signingKeys.list()
  }
  const entries = rows.map((row) => ({ row, key: unwrapKey(context, row) }))
  context.keys.entries = entries
  context.keys.verifying = entries.map(({ key }) => key.publicKey ?? key)
  context.keys.published = { keys: rows.flatMap((row) => (row.public_jwk === null ? [] : [row.public_jwk as Jwk])) }
}

/** The key that signs now. Throws `keys_unavailable` when there is none. */
export function signingKey(context: Context): SigningKey {
  const now = context.now()
  const ready = context.keys.entries.filter(({ row }) => row.alg === context.config.alg && row.signs_from <= now)
  const newest = ready.at(-1) ?? context.keys.entries.findLast(({ row }) => row.alg === context.config.alg)
  if (newest === undefined) throw new AuthError('keys_unavailable', 'There is no signing key', { retryAfter: 5 })
  return newest.key
}

async function createKey(context: Context, sequence: number): Promise<void> {
  const { config, secrets } = context
  const key = await generateKey(config.alg)
  const now = context.now()
  const row: SigningKeyRow = {
    sequence,
    kid: key.kid,
    alg: key.alg,
    public_jwk: key.publicKey === undefined ? null : { ...exportJwk(key.publicKey) },
    private_jwk: secrets.wrap(Buffer.from(JSON.stringify(exportJwk(key, { private: true }))), place(key.kid)),
    created_at: now,
    signs_from: now,
  }
  try {
    await commit(context, async (unit) => {
      await unit.signingKeys.insert(row)
      await audit(unit, { type: 'key.created', time: now, data: { kid: row.kid, alg: row.alg } })
    })
  } catch (error) {
    // Another process made this number first: its key is the one.
    if (!(error instanceof Conflict)) throw error
  }
}

function unwrapKey(context: Context, row: SigningKeyRow): SigningKey {
  const jwk = JSON.parse(context.secrets.unwrap(row.private_jwk, place(row.kid)).toString())
  return importKey(jwk, { alg: context.config.alg === row.alg ? context.config.alg : jwk.alg }) as SigningKey
}

function place(kid: string): string {
  return `signing_keys\0${kid}\0private_jwk`
}
