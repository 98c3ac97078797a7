import { createHash } from 'node:crypto'
import { audit } from '../core/audit.ts'
import { CLIENT_ID_PREFIX, lookupId } from '../core/client-id.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { revokeVersion } from '../revocations/rules.ts'
import { checkName, checkOverlap, checkScopes } from './client-fields.ts'
import type { ClientRow, ClientSecretRow } from './contract.ts'

/** A machine that gets access tokens for itself (RFC 6749 §4.4). */
export interface ApiClient {
  /** `cli_` and 128 random bits: the `client_id` and the `sub` of its tokens. */
  readonly id: string
  /** A name for people. */
  readonly name: string
  /** The scopes that it may request. */
  readonly scopes: readonly string[]
  /** Whether it cannot authenticate. */
  readonly disabled: boolean
  /** The valid secrets, oldest first: two during the overlap of a rotation. */
  readonly secrets: readonly ClientSecret[]
  /** When it was created. */
  readonly createdAt: Date
  /** When it was last changed, or its secret rotated. */
  readonly updatedAt: Date
}

/** The times of a secret. */
interface ClientSecret {
  /** When it was created. */
  readonly createdAt: Date
  /** When it expires; undefined for the current one. */
  readonly expiresAt: Date | undefined
}

/** The parameters of `auth.clients.create`. */
export interface CreateApiClient {
  /** A name for people: 1 to 128 characters. */
  readonly name: string
  /** Scope tokens of RFC 6749 §3.3, at most 64 of 1 to 64 characters. Default none. */
  readonly scopes?: readonly string[] | undefined
}

/** A client with its new secret, which is not returned again. */
export interface IssuedSecret {
  /** The client. */
  readonly client: ApiClient
  /** `sws_` and 256 random bits. Only its SHA-256 is stored. */
  readonly secret: string
}

/** A prefix for secret scanners. */
const SECRET_PREFIX = 'sws_'
const HOUR = 3_600_000
/** The maximum of `accessTtl`. */
const LONGEST_LIFE = 24 * HOUR

/** Returns the hash under which a secret is stored. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/**
 * Creates a client and its first secret.
 *
 * @throws {AuthError} `validation_failed`
 */
export async function createClient(
  context: Context,
  options: CreateApiClient,
  origin: RequestOrigin = {},
): Promise<IssuedSecret> {
  const now = context.now()
  const client: ClientRow = {
    id: CLIENT_ID_PREFIX + context.randomBytes(16).toString('base64url'),
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
    await audit(unit, { type: 'client.created', time: now, subject: client.id, ...origin, data })
    return insertSecret(context, unit, client.id, now)
  })
  return { client: toClient(client, [{ created_at: now, expires_at: null }], now), secret }
}

/** Returns the client with this id, or undefined. */
export async function getClient(context: Context, id: string): Promise<ApiClient | undefined> {
  const row = await context.store.committed.clients.withSecrets(lookupId(id))
  return row && toClient(row, row.secrets, context.now())
}

/** Returns a page of clients, ordered by id. */
export async function listClients(
  context: Context,
  page: { after?: string | undefined; limit?: number | undefined } = {},
): Promise<ApiClient[]> {
  const limit = Math.min(Math.max(page.limit ?? 50, 1), 500)
  const { clients } = context.store.committed
  const rows = await clients.list({ after: page.after, limit })
  const secrets = Map.groupBy(await clients.secretsOf(rows.map(({ id }) => id)), (secret) => secret.client_id)
  return rows.map((row) => toClient(row, secrets.get(row.id) ?? [], context.now()))
}

/**
 * Changes the name or the scopes. When a scope is removed, its access tokens become stale.
 *
 * @throws {AuthError} `not_found`, `validation_failed`
 */
export async function updateClient(
  context: Context,
  id: string,
  change: { name?: string | undefined; scopes?: readonly string[] | undefined },
  origin: RequestOrigin = {},
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
    await audit(unit, { type: 'client.updated', time: now, subject: client.id, ...origin, data })
  })
}

/**
 * Creates a new secret. The current one stays valid for `overlap`: 24 hours by default, at most 90
 * days. With 0, for emergencies, all other secrets expire immediately.
 *
 * @throws {AuthError} `not_found`, `validation_failed`
 * @throws {AuthError} `rotation_under_way` during the overlap of an earlier rotation: repeating a
 * request must not expire the secret in use
 */
export async function rotateSecret(
  context: Context,
  id: string,
  { overlap = '24h' }: { overlap?: number | string | undefined } = {},
  origin: RequestOrigin = {},
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
    await audit(unit, { type: 'client.secret_rotated', time: now, subject: clientId, ...origin, data })
  })
  return { client, secret }
}

function refuseWhileOverlapping(secrets: readonly ClientSecretRow[], now: number): void {
  const ends = secrets.flatMap(({ expires_at }) => (expires_at !== null && now < expires_at ? [expires_at] : []))
  if (ends.length === 0) return
  const end = new Date(Math.max(...ends)).toISOString()
  throw new AuthError(
    'rotation_under_way',
    `An earlier secret is valid until ${end}: rotate then, or now with overlap 0`,
  )
}

/**
 * Disables a client. Its access tokens become stale.
 *
 * @throws {AuthError} `not_found`
 */
export async function disableClient(context: Context, id: string, origin: RequestOrigin = {}): Promise<ApiClient> {
  return changeClient(context, id, async (unit, client, now) => {
    if (client.disabled_at !== null) return
    const raised = await raiseVersion(context, unit, client)
    await unit.clients.change(client.id, { disabled_at: now, ...raised, updated_at: now })
    await audit(unit, { type: 'client.disabled', time: now, subject: client.id, ...origin })
  })
}

/**
 * Allows a disabled client to authenticate again.
 *
 * @throws {AuthError} `not_found`
 */
export async function enableClient(context: Context, id: string, origin: RequestOrigin = {}): Promise<ApiClient> {
  return changeClient(context, id, async (unit, client, now) => {
    if (client.disabled_at === null) return
    await unit.clients.change(client.id, { disabled_at: null, updated_at: now })
    await audit(unit, { type: 'client.enabled', time: now, subject: client.id, ...origin })
  })
}

/**
 * Deletes a client and its secrets. Its access tokens become stale. Returns false if there is no
 * such client.
 */
export async function deleteClient(context: Context, id: string, origin: RequestOrigin = {}): Promise<boolean> {
  return commit(context, async (unit) => {
    const client = await unit.clients.lock(lookupId(id))
    if (client === undefined) return false
    await raiseVersion(context, unit, client)
    await unit.clients.delete(client.id)
    await audit(unit, { type: 'client.deleted', time: context.now(), subject: client.id, ...origin })
    return true
  })
}

/** Changes an existing client under its lock, and returns the changed client. */
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
    return toClient(row, row.secrets, context.now())
  })
}

/** Makes all access tokens of a client stale when the unit is committed. */
async function raiseVersion(context: Context, unit: Unit, client: ClientRow): Promise<{ ver: number }> {
  const ver = client.ver + 1
  // The expiry of its tokens is not stored, so the longest possible one is assumed.
  await revokeVersion(context, unit, { subject: client.id, ver, latest: context.now() + LONGEST_LIFE })
  return { ver }
}

async function insertSecret(context: Context, unit: Unit, clientId: string, now: number): Promise<string> {
  const secret = SECRET_PREFIX + context.randomBytes(32).toString('base64url')
  await unit.clients.insertSecret({
    id: context.randomBytes(16).toString('base64url'),
    client_id: clientId,
    hash: hashSecret(secret),
    created_at: now,
    expires_at: null,
  })
  return secret
}

type SecretTimes = Pick<ClientSecretRow, 'created_at' | 'expires_at'>

function toClient(row: ClientRow, secrets: readonly SecretTimes[], now: number): ApiClient {
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

/** The current secret is last, even if both have the same time. */
function byAge(a: SecretTimes, b: SecretTimes): number {
  return Number(a.expires_at === null) - Number(b.expires_at === null) || a.created_at - b.created_at
}

/** The error for an unknown client. */
export function noSuchClient(): AuthError {
  return new AuthError('not_found', 'There is no such client')
}
