import { randomBytes } from 'node:crypto'
import { createGuard, createRevocationList, type GuardOptions, type RevocationList } from '@sealwax/guard'
import type { ApiOf, AuthServer, ServerCore } from './auth-server.ts'
import type { Context } from './core/context.ts'
import type { AuditEvent } from './core/events.ts'
import { type Guards, provideGuards } from './core/guards.ts'
import { noteIssuer, requireSameIssuer } from './core/issuer.ts'
import { startJobs } from './core/jobs.ts'
import type { Logger } from './core/logger.ts'
import type { AuthOptions } from './core/options.ts'
import { claimWrapper, forgetSecret, requireSecrets } from './core/secret-rotation.ts'
import { secretsOf } from './core/secrets.ts'
import { dpopVerifiers } from './dpop/verifiers.ts'
import { AuthError } from './errors.ts'
import type { Feature } from './feature.ts'
import { features } from './features.ts'
import { createApp } from './http/app.ts'
import { configure } from './options.ts'
import { endWaiting, followRevocations, isStale } from './revocations/feed.ts'
import { openFeed } from './revocations/feed-epoch.ts'
import { isCopy, keyRing, openKeys, refreshKeys, reloadKeys } from './signing-keys/ring.ts'
import { rotateKeys } from './signing-keys/rotation.ts'

/**
 * Creates an auth server: opens the store, creates the first signing keys if there are none, and
 * starts the jobs.
 *
 * @throws {AuthError} `config_invalid`, `schema_outdated`, `schema_newer`, `keys_unavailable` or
 *   `temporarily_unavailable`
 */
export function createAuth(options: AuthOptions): Promise<AuthServer> {
  return open(options, features)
}

/**
 * Opens the context of a command that runs next to the servers. It runs no jobs, creates no keys
 * and rewraps nothing.
 */
export async function openForCommand(
  options: AuthOptions,
  features: readonly Feature[],
): Promise<{ context: Context; close(): Promise<void> }> {
  const context = contextOf(options, createRevocationList(), features)
  await context.store.open({ features, migrate: context.config.migrate })
  return closedOnFailure(context, async () => {
    await requireSecrets(context)
    await requireSameIssuer(context)
    await reloadKeys(context)
    return { context, close: () => context.store.close() }
  })
}

/** `createAuth` for any list of features. */
export async function open<Features extends readonly Feature[]>(
  options: AuthOptions,
  features: Features,
): Promise<ServerCore & ApiOf<Features>> {
  const revoked = createRevocationList(options?.now === undefined ? {} : { now: options.now })
  const context = contextOf(options, revoked, features)
  const guards = createGuards(context, revoked, options.onRefusal)
  provideGuards(context, guards)
  for (const { checkConfig } of features) await checkConfig?.(context)
  const warn = (sentence: string) => context.log.warn({}, sentence)
  await context.store.open({ features, migrate: context.config.migrate, warn })
  return closedOnFailure(context, async () => {
    await requireSecrets(context)
    return serverOf(context, features, guards, await startServing(context))
  })
}

async function closedOnFailure<T>({ store }: Context, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Starts the periodic work of a server; returns a function that stops it. */
async function startServing(context: Context): Promise<() => Promise<void>> {
  if (await isCopy(context)) {
    await openKeys(context)
    // The signing key may have been revoked since the copy was made. The original then signs with
    // the next key, and so must the copy.
    await rotateKeys(context)
    await openFeed(context)
  } else {
    await openFeed(context)
    await openKeys(context)
  }
  await noteIssuer(context)
  await claimWrapper(context)
  const stopFollowing = await followRevocations(context, (entries) =>
    refreshKeys(context, { force: entries.some(({ kind }) => kind === 'kid') }),
  )
  const stopJobs = startJobs(context)
  return async () => {
    await stopJobs()
    await stopFollowing()
  }
}

/**
 * Calls `forgetSecret` without a server, since none can start while the secret is missing.
 */
export async function forgetLostSecret(
  options: AuthOptions,
  fingerprint: string,
): Promise<Readonly<Record<string, number>>> {
  const context = contextOf(options, createRevocationList(), features)
  await context.store.open({ features, migrate: context.config.migrate })
  try {
    return await forgetSecret(context, fingerprint)
  } finally {
    await context.store.close()
  }
}

function contextOf(options: AuthOptions, revoked: RevocationList, features: readonly Feature[]): Context {
  const config = configure(options, features)
  const elapsed = () => performance.now()
  // Looked up at each call: a test that replaces `Date` later moves this clock, too.
  const { store, now = () => Date.now() } = options
  return {
    config,
    features,
    store,
    now,
    elapsed,
    randomBytes: pooledRandomBytes(),
    log: options.logger ?? SILENT,
    emit: safely(options.onEvent, options.logger),
    loadSubject: options.loadSubject,
    mail: options.mail,
    secrets: secretsOf(config.secret, randomBytes),
    revoked,
  }
}

/**
 * Creates the guards, all with the keys and revocations of this process: one for the application,
 * and those for our own routes, which accept no other issuer.
 */
function createGuards(context: Context, revoked: RevocationList, onRefusal: AuthOptions['onRefusal']): Guards {
  const { config } = context
  const options = {
    issuer: config.issuer,
    audience: [...config.audience],
    keys: () => keyRing(context).verifying,
    revocation: {
      check: (token) => (isStale(context) ? 'revocation_unavailable' : revoked.check(token)),
      subscribe: revoked.subscribe,
    },
    now: context.now,
  } satisfies GuardOptions
  const told = onRefusal === undefined ? {} : { onRefusal }
  const { application, own } = dpopVerifiers(context)
  try {
    return {
      guard: createGuard({ ...options, ...told, issuers: config.issuers, dpop: application }),
      own: createGuard({ ...options, dpop: own }),
      parameters: createGuard({ ...options, senderConstrained: 'ignore' }),
    }
  } catch (cause) {
    // All other options were checked before, so the error is about `issuers`.
    const detail =
      cause instanceof Error ? cause.message.replace(/^createGuard/, 'createAuth') : 'createAuth: issuers is invalid'
    throw new AuthError('config_invalid', detail, { cause })
  }
}

function serverOf<Features extends readonly Feature[]>(
  context: Context,
  features: Features,
  { guard, own, parameters }: Guards,
  stopServing: () => Promise<void>,
): ServerCore & ApiOf<Features> {
  const app = createApp(context, own, features)
  const core: ServerCore = {
    fetch: (request, platform = {}) => app.fetch(request, platform),
    handles: app.handles,
    admit: app.admit,
    clientAddress: app.clientAddress,
    forwardedHeader: app.forwardedHeader,
    guard,
    drain: () => endWaiting(context),
    async close() {
      await stopServing()
      await Promise.all([guard.close(), own.close(), parameters.close()])
      await context.store.close()
    },
  }
  return Object.assign(core, ...features.map(({ api }) => api?.(context)))
}

/**
 * Returns random bytes from a pool, since one call of the generator costs more than the few bytes
 * that a request needs. Each byte is used once.
 */
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

/** Logs what `onEvent` throws: the event is committed, and the request must not fail. */
function safely(listener: AuthOptions['onEvent'], log: Logger = SILENT): (event: AuditEvent) => void {
  return (event) => {
    try {
      listener?.(event)
    } catch (error) {
      log.error({ err: error, type: event.type }, 'onEvent threw')
    }
  }
}
