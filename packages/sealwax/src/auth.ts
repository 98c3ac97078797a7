import { randomBytes } from 'node:crypto'
import { createGuard, createRevocationList, type Guard, type GuardOptions, type RevocationList } from '@sealwax/guard'
import type { AuthServer } from './auth-server.ts'
import { checkedCalls } from './calls.ts'
import { configure } from './config.ts'
import { listAudit } from './engine/audit.ts'
import {
  createClient,
  deleteClient,
  disableClient,
  enableClient,
  getClient,
  listClients,
  rotateSecret,
  updateClient,
} from './engine/clients.ts'
import type { AuditEvent, Context, Logger } from './engine/context.ts'
import { createFeedState, endWaiting, followRevocations, isCopy, openFeed } from './engine/feed.ts'
import { noteIssuer, requireSameIssuer } from './engine/issuer.ts'
import { startJobs } from './engine/jobs.ts'
import { listKeys, revokeKey, rotateKeys } from './engine/key-rotation.ts'
import { createKeyRing, openKeys, refreshKeys, reloadKeys } from './engine/keys.ts'
import { createPasswords } from './engine/passwords.ts'
import { confirmRefreshToken, refreshSession } from './engine/refresh.ts'
import { secretsOf } from './engine/secrets.ts'
import { listSessions } from './engine/session-list.ts'
import { createSession, distinctTimes, revokeAllSessions, revokeSessionById } from './engine/sessions.ts'
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  findUser,
  getUser,
  listUsers,
  setRoles,
  updateUser,
} from './engine/users.ts'
import { claimWrapper, forgetSecret, requireSecrets } from './engine/wrapping.ts'
import { AuthError } from './errors.ts'
import { createApp } from './http/app.ts'
import type { AuthOptions } from './options.ts'

/**
 * Opens the store, makes the first signing keys if there are none, and puts everything together.
 * Throws `config_invalid`, `schema_outdated`, `keys_unavailable` or `temporarily_unavailable`.
 */
export function createAuth(options: AuthOptions): Promise<AuthServer> {
  return open(options, { asServer: true })
}

/** The same for one command beside the servers: it does nothing by itself, makes no key and wraps nothing anew. */
export function openForCommand(options: AuthOptions): Promise<AuthServer> {
  return open(options, { asServer: false })
}

async function open(options: AuthOptions, { asServer }: { asServer: boolean }): Promise<AuthServer> {
  const revoked = createRevocationList(options?.now === undefined ? {} : { now: options.now })
  const context = contextOf(options, revoked)
  const guards = guardsOf(context, revoked)
  const warn = (sentence: string) => context.log.warn({}, sentence)
  await context.store.open({ migrate: context.config.migrate, ...(asServer && { warn }) })
  try {
    await requireSecrets(context)
    if (!asServer) await requireSameIssuer(context)
    if (!asServer) await reloadKeys(context)
    return serverOf(context, guards, asServer ? await startServing(context) : async () => {})
  } catch (error) {
    await context.store.close()
    throw error
  }
}

/** Does what servers do by themselves; answers what ends it. */
async function startServing(context: Context): Promise<() => Promise<void>> {
  if (await isCopy(context)) {
    await openKeys(context)
    // The key that signs may have been revoked since the copy was made; the one after it then took over, there too.
    await rotateKeys(context)
    await openFeed(context)
  } else {
    await openFeed(context)
    await openKeys(context)
  }
  await noteIssuer(context)
  await claimWrapper(context)
  const stopFollowing = await followRevocations(context, (entries) =>
    refreshKeys(context, { now: entries.some(({ kind }) => kind === 'kid') }),
  )
  const stopJobs = startJobs(context)
  return async () => {
    await stopJobs()
    await stopFollowing()
  }
}

/** Gives up what a lost secret has wrapped, while no server can start: see `forgetSecret` of the engine. */
export async function forgetLostSecret(
  options: AuthOptions,
  fingerprint: string,
): Promise<{ keys: number; sessions: number }> {
  const context = contextOf(options, createRevocationList())
  await context.store.open({ migrate: context.config.migrate })
  try {
    return await forgetSecret(context, fingerprint)
  } finally {
    await context.store.close()
  }
}

function contextOf(options: AuthOptions, revoked: RevocationList): Context {
  const config = configure(options)
  const elapsed = () => performance.now()
  // Looked up at each call: a test that replaces `Date` later moves this clock, too.
  const { store, now = () => Date.now() } = options
  return {
    config,
    store,
    now,
    sessionTime: distinctTimes(now),
    elapsed,
    randomBytes: pooledRandomBytes(),
    log: options.logger ?? SILENT,
    emit: safely(options.onEvent, options.logger),
    loadSubject: options.loadSubject,
    secrets: secretsOf(config.secrets, randomBytes),
    passwords: createPasswords({ elapsed }),
    keys: createKeyRing(),
    feed: createFeedState(),
    auditBatches: new Map(),
    revoked,
  }
}

/** Both verify with this process's keys and revocations: one for the application, one for our own routes, where no other issuer counts. */
function guardsOf(context: Context, revoked: RevocationList): { guard: Guard; own: Guard } {
  const { config } = context
  const options = {
    issuer: config.issuer,
    audience: [...config.audience],
    keys: () => context.keys.verifying,
    revocation: {
      check: (token) => (isStale(context) ? 'revocation_unavailable' : revoked.check(token)),
      subscribe: revoked.subscribe,
    },
    now: context.now,
  } satisfies GuardOptions
  try {
    return { guard: createGuard({ ...options, issuers: config.issuers }), own: createGuard(options) }
  } catch (cause) {
    // The other options are checked, so it is about these.
    const detail =
      cause instanceof Error ? cause.message.replace(/^createGuard: /, '') : 'issuers is not what it should be'
    throw new AuthError('config_invalid', detail, { cause })
  }
}

/** A process that has not read the store for so long cannot say any more that a session has not ended. */
const STALE_AFTER_MS = 60_000

function isStale({ feed, elapsed }: Context): boolean {
  return elapsed() - feed.readAt > STALE_AFTER_MS
}

function serverOf(
  context: Context,
  { guard, own }: { guard: Guard; own: Guard },
  stopServing: () => Promise<void>,
): AuthServer {
  const app = createApp(context, own)
  return {
    fetch: (request, platform = {}) => app.fetch(request, platform),
    handles: app.handles,
    clientAddress: app.clientAddress,
    forwardedHeader: app.forwardedHeader,
    guard,
    users: checkedCalls('users', {
      create: (user) => createUser(context, user),
      get: (id) => getUser(context, id),
      find: (email) => findUser(context, email),
      list: (page) => listUsers(context, page),
      update: (id, change) => updateUser(context, id, change),
      setRoles: (id, roles) => setRoles(context, id, roles),
      disable: (id) => disableUser(context, id),
      enable: (id) => enableUser(context, id),
      delete: (id) => deleteUser(context, id),
    }),
    sessions: checkedCalls('sessions', {
      create: (session) => createSession(context, session),
      refresh: (token, { device, ...client } = {}) => refreshSession(context, token, client, { device }),
      confirm: (token, client) => confirmRefreshToken(context, token, client),
      list: (subject, page) => listSessions(context, subject, page),
      revoke: (id) => revokeSessionById(context, id),
      revokeAll: (subject, options) => revokeAllSessions(context, subject, options),
    }),
    keys: checkedCalls('keys', {
      list: () => listKeys(context),
      rotate: () => rotateKeys(context),
      revoke: (kid, options) => revokeKey(context, kid, options),
    }),
    clients: checkedCalls('clients', {
      create: (client) => createClient(context, client),
      get: (id) => getClient(context, id),
      list: (page) => listClients(context, page),
      update: (id, change) => updateClient(context, id, change),
      rotate: (id, options) => rotateSecret(context, id, options),
      disable: (id) => disableClient(context, id),
      enable: (id) => enableClient(context, id),
      delete: (id) => deleteClient(context, id),
    }),
    audit: checkedCalls('audit', { list: (query) => listAudit(context, query) }),
    drain: () => endWaiting(context),
    async close() {
      await stopServing()
      await Promise.all([guard.close(), own.close()])
      await context.store.close()
    },
  }
}

/** A call to the generator costs more than the few octets a request needs, so they are drawn many at a time. Each octet is given once. */
function pooledRandomBytes(): Context['randomBytes'] {
  let pool = Buffer.alloc(0)
  let used = 0
  return (size) => {
    if (used + size > pool.length) {
      pool = randomBytes(Math.max(4096, size))
      used = 0
    }
    used += size
    return Buffer.from(pool.subarray(used - size, used))
  }
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** What a listener throws is its own affair: the event is committed and the reply goes out. */
function safely(listener: AuthOptions['onEvent'], log: Logger = SILENT): (event: AuditEvent) => void {
  return (event) => {
    try {
      listener?.(event)
    } catch (error) {
      log.error({ err: error, type: event.type }, 'onEvent threw')
    }
  }
}
