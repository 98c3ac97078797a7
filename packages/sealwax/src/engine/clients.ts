import { createHash } from 'node:crypto'
import { AuthError } from '../errors.ts'
import type { ClientRow, ClientSecretRow } from '../store/contract/clients.ts'
import { audit } from './audit.ts'
import { checkName, checkOverlap, checkScopes } from './client-fields.ts'
import { type Client, type Context, commit, type Unit } from './context.ts'
import { revokeVersion } from './revocations.ts'

/** A machine that gets access tokens for itself (RFC 6749 §4.4). */
export interface ApiClient {
  /** `cli_` and 128 random bits: the `client_id` and the `sub` of its tokens. */
  readonly id: string
  readonly name: string
  /** All that it may ask for. */
  readonly scopes: readonly string[]
  readonly disabled: boolean
  /** The secrets that serve now, oldest first: two while the overlap of a rotation lasts. */
  readonly secrets: readonly ClientSecret[]
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What is told of a secret. */
interface ClientSecret {
  readonly createdAt: Date
  /** When it stops to serve; undefined for the current one. */
  readonly expiresAt: Date | undefined
}

export interface CreateApiClient {
  /** For people: 1 to 128 characters. */
  readonly name: string
  /** Scope tokens of RFC 6749 §3.3, at most 64 of 1 to 64 characters. Default none. */
  readonly scopes?: readonly string[] | undefined
}

/** A secret is shown here and never again. */
export interface IssuedSecret {
  readonly client: ApiClient
  /** `sws_` and 256 random bits; the store has its SHA-256. */
  readonly secret: string
}

const ID_PREFIX = 'cli_'
const ID_FORM = /^cli_[A-Za-z0-9_-]{22}$/
/** Secret scanners look for it. */
const SECRET_PREFIX = 'sws_'
/** A well-formed id that is never given. */
const NOBODY = `${ID_PREFIX}${'-'.repeat(22)}`
const HOUR = 3_600_000
/** No configuration lets an access token live longer. */
const LONGEST_LIFE = 24 * HOUR

/** Whether a `sub` or `client_id` is that of an API client. */
export function isClientId(subject: string): boolean {
  return subject.startsWith(ID_PREFIX)
}

/** Users never have such ids, so no resource server takes a machine for a user (RFC 9068 §5). Throws `validation_failed`. */
export function refuseClientId(subject: string): void {
  if (isClientId(subject)) {
    throw new AuthError('validation_failed', `An id that begins with ${ID_PREFIX} is that of an API client`)
  }
}

/** What is no client id is looked up as one that nobody has: the same work, and nothing that a database could choke on. */
export function lookupId(id: string): string {
  return ID_FORM.test(id) ? id : NOBODY
}

export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Creates a client and its first secret. Throws `validation_failed`. */
export async function createClient(
  context: Context,
  options: CreateApiClient,
  from: Client = {},
): Promise<IssuedSecret> {
  const now = context.now()
  const client: ClientRow = {
    id: ID_PREFIX + context.randomBytes(16).toString('base64url'),
    name: checkName(options.name),
    scopes: checkScopes(options.scopes ?? []),
    ver: Math.floor(now / 1000),
    disabled_at: null,
    created_at: now,
    updated_at: now,
  }
  const secret = await commit(context, async (unit) => {
    await unit.clients.insert(client)
    const data = { name: client.name, scopes: client.scopes }
    await audit(unit, { type: 'client.created', time: now, subject: client.id, ...from, data })
    return insertSecret(context, unit, client.id, now)
  })
  return { client: clientOf(client, [{ created_at: now, expires_at: null }], now), secret }
}

export async function getClient(context: Context, id: string): Promise<ApiClient | undefined> {
  const row = await context.store.committed.clients.withSecrets(lookupId(id))
  return row && clientOf(row, row.secrets, context.now())
}

/** A page of clients, ordered by id. */
export async function listClients(
  context: Context,
  page: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<ApiClient[]> {
  const limit = Math.min(Math.max(page.limit ?? 50, 1), 500)
  const { clients } = context.store.committed
  const rows = await clients.list({ after: page.after, limit })
  const secrets = Map.groupBy(await clients.secretsOf(rows.map(({ id }) => id)), (secret) => secret.client_id)
  return rows.map((row) => clientOf(row, secrets.get(row.id) ?? [], context.now()))
}

/** Changes the name or the scopes; what is as it was is no change. A scope taken away makes its access tokens stale at once. Throws `not_found`, `validation_failed`. */
export async function updateClient(
  context: Context,
  id: string,
  change: { name?: string | undefined; scopes?: readonly string[] | undefined },
  from: Client = {},
): Promise<ApiClient> {
  const name = change.name === undefined ? undefined : checkName(change.name)
  const scopes = change.scopes === undefined ? undefined : checkScopes(change.scopes)
  return changeClient(context, id, async (unit, client, now) => {
    const data = {
      ...(name !== undefined && name !== client.name && { name }),
      ...(scopes !== undefined && scopes.join(' ') !== client.scopes.join(' ') && { scopes }),
    }
    if (Object.keys(data).length === 0) return
    const narrowed = client.scopes.some((scope) => scopes?.includes(scope) === false)
    const raised = narrowed ? await raiseVersion(context, unit, client) : {}
    await unit.clients.change(client.id, { ...data, ...raised, updated_at: now })
    await audit(unit, { type: 'client.updated', time: now, subject: client.id, ...from, data })
  })
}

/**
 * Makes a new secret; the current one serves on for `overlap` (a duration; default 24 hours, at most 90 days). With 0, for emergencies, all others end now.
 * Throws `not_found`, `validation_failed`, and `rotation_under_way` while an earlier overlap lasts: a rotation that is sent again must not end the
 * secret that its machines have.
 */
export async function rotateSecret(
  context: Context,
  id: string,
  { overlap = '24h' }: { overlap?: number | string | undefined } = {},
  from: Client = {},
): Promise<IssuedSecret> {
  const milliseconds = checkOverlap(overlap)
  let secret = ''
  const client = await changeClient(context, id, async (unit, { id: clientId }, now) => {
    const { secrets = [] } = (await unit.clients.withSecrets(clientId)) ?? {}
    if (milliseconds > 0) refuseWhileOverlapping(secrets, now)
    for (const old of secrets) {
      if (old.expires_at === null && milliseconds > 0) await unit.clients.expireSecret(old.id, now + milliseconds)
      else await unit.clients.deleteSecret(old.id)
    }
    secret = await insertSecret(context, unit, clientId, now)
    await unit.clients.change(clientId, { updated_at: now })
    const data = { overlap_seconds: milliseconds / 1000 }
    await audit(unit, { type: 'client.secret_rotated', time: now, subject: clientId, ...from, data })
  })
  return { client, secret }
}

function refuseWhileOverlapping(secrets: readonly ClientSecretRow[], now: number): void {
  const ends = secrets.flatMap(({ expires_at }) => (expires_at !== null && now < expires_at ? [expires_at] : []))
  if (ends.length === 0) return
  const end = new Date(Math.max(...ends)).toISOString()
  throw new AuthError('rotation_under_way', `An earlier secret serves until ${end}: rotate then, or with overlap 0 now`)
}

/** Refuses the client from now on; its access tokens are stale at once. Throws `not_found`. */
export async function disableClient(context: Context, id: string, from: Client = {}): Promise<ApiClient> {
  return changeClient(context, id, async (unit, client, now) => {
    if (client.disabled_at !== null) return
    const raised = await raiseVersion(context, unit, client)
    await unit.clients.change(client.id, { disabled_at: now, ...raised, updated_at: now })
    await audit(unit, { type: 'client.disabled', time: now, subject: client.id, ...from })
  })
}

/** Lets a disabled client ask for tokens again. Throws `not_found`. */
export async function enableClient(context: Context, id: string, from: Client = {}): Promise<ApiClient> {
  return changeClient(context, id, async (unit, client, now) => {
    if (client.disabled_at === null) return
    await unit.clients.change(client.id, { disabled_at: null, updated_at: now })
    await audit(unit, { type: 'client.enabled', time: now, subject: client.id, ...from })
  })
}

/** Deletes a client and its secrets; its access tokens are stale at once. False when there is none. */
export async function deleteClient(context: Context, id: string, from: Client = {}): Promise<boolean> {
  return commit(context, async (unit) => {
    const client = await unit.clients.lock(lookupId(id))
    if (client === undefined) return false
    await raiseVersion(context, unit, client)
    await unit.clients.delete(client.id)
    await audit(unit, { type: 'client.deleted', time: context.now(), subject: client.id, ...from })
    return true
  })
}

/** Changes a client that exists, under its lock, and answers how it stands afterwards. */
async function changeClient(
  context: Context,
  id: string,
  change: (unit: Unit, client: ClientRow, now: number) => Promise<void>,
): Promise<ApiClient> {
  return commit(context, async (unit) => {
    const client = await unit.clients.lock(lookupId(id))
    if (client === undefined) throw noSuchClient()
    await change(unit, client, context.now())
    const row = await unit.clients.withSecrets(client.id)
    if (row === undefined) throw noSuchClient()
    return clientOf(row, row.secrets, context.now())
  })
}

/** Its access tokens die with this unit's commit. */
async function raiseVersion(context: Context, unit: Unit, client: ClientRow): Promise<{ ver: number }> {
  const ver = client.ver + 1
  // No row tells when the last of its tokens expires, so it is taken for the longest-lived there can be.
  await revokeVersion(context, unit, { subject: client.id, ver, latest: context.now() + LONGEST_LIFE })
  return { ver }
}

async function insertSecret(context: Context, unit: Unit, clientId: string, now: number): Promise<string> {
  const secret = SECRET_PREFIX + context.randomBytes(32).toString('base64url')
  await unit.clients.insertSecret({
    id: context.randomBytes(16).toString('base64url'),
    client_id: clientId,
    hash: hashOf(secret),
    created_at: now,
    expires_at: null,
  })
  return secret
}

type SecretTimes = Pick<ClientSecretRow, 'created_at' | 'expires_at'>

function clientOf(row: ClientRow, secrets: readonly SecretTimes[], now: number): ApiClient {
  const live = secrets.filter(({ expires_at }) => expires_at === null || now < expires_at)
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    disabled: row.disabled_at !== null,
    secrets: live.sort(byAge).map(({ created_at, expires_at }) => ({
      createdAt: new Date(created_at),
      expiresAt: expires_at === null ? undefined : new Date(expires_at),
    })),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  }
}

/** The current one is the newest, also where the clock has not moved. */
function byAge(a: SecretTimes, b: SecretTimes): number {
  return Number(a.expires_at === null) - Number(b.expires_at === null) || a.created_at - b.created_at
}

export function noSuchClient(): AuthError {
  return new AuthError('not_found', 'There is no such client')
}
