import type { Config } from '../options.ts'
import type { Facts, Store } from '../store/contract/store.ts'
import type { AuditBatches } from './audit.ts'
import type { FeedState } from './feed.ts'
import type { KeyRing } from './keys.ts'
import type { Passwords } from './passwords.ts'
import type { Secrets } from './secrets.ts'

/** What every rule receives first. Rules take time, randomness and everything outside from here. */
export interface Context {
  readonly config: Config
  readonly store: Store
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The same for a session that begins: no two of this process begin in one millisecond. */
  readonly sessionTime: () => number
  /** Milliseconds on a clock that is never set, for how long something took. */
  readonly elapsed: () => number
  readonly randomBytes: (size: number) => Buffer
  readonly log: Logger
  readonly emit: (event: AuditEvent) => void
  readonly loadSubject: LoadSubject | undefined
  readonly secrets: Secrets
  readonly passwords: Passwords
  readonly keys: KeyRing
  readonly feed: FeedState
  /** Counted events on their way to the store. */
  readonly auditBatches: AuditBatches
  /** Where revocations take effect at once in this process. */
  readonly revoked: RevocationSink
}

/** What a library writes log lines to; pino fits. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Where a request came from, as far as known. */
export interface Client {
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
  /** The administrator on whose word it happens; kept in the data of the event. */
  readonly by?: string | undefined
}

/** Something worth remembering. `data` never holds a token, a password, a secret or a hash. */
export interface AuditEvent {
  readonly type: AuditEventType
  /** Milliseconds since 1970. */
  readonly time: number
  readonly subject?: string | undefined
  readonly sessionId?: string | undefined
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
  readonly data?: Readonly<Record<string, unknown>>
}

export type AuditEventType =
  | 'user.registered'
  | 'user.created'
  | 'user.updated'
  | 'user.deleted'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.roles_changed'
  | 'user.password_changed'
  | 'user.login_failed'
  | 'session.created'
  | 'session.replayed'
  | 'session.forked'
  | 'session.replay_detected'
  | 'session.fast_forwarded'
  | 'session.ended'
  | 'sessions.ended'
  | 'client.created'
  | 'client.updated'
  | 'client.secret_rotated'
  | 'client.disabled'
  | 'client.enabled'
  | 'client.deleted'
  | 'client.token_revoked'
  | 'client.authentication_failed'
  | 'key.created'
  | 'key.scheduled'
  | 'key.activated'
  | 'key.retiring'
  | 'key.retired'
  | 'key.revoked'
  | 'secrets.rewrapped'

/** What an application says of its own user whenever a session begins, and at each refresh. Undefined: there is no such user. */
export type LoadSubject = (subject: string) => Promise<Subject | undefined> | Subject | undefined

export interface Subject {
  readonly roles?: readonly string[]
  /** Extra claims of the access token; registered ones are refused. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly disabled?: boolean
}

/** A live revocation, as a guard understands it. `until` is in seconds since 1970. */
export type Revocation =
  | { readonly kind: 'sid'; readonly sid: string; readonly until: number }
  | {
      readonly kind: 'sub'
      readonly subject: string
      readonly below: number
      readonly except?: string
      readonly until: number
    }
  | { readonly kind: 'ver'; readonly subject: string; readonly ver: number; readonly until: number }
  | { readonly kind: 'kid'; readonly kid: string; readonly until: number }

interface RevocationSink {
  add(revocation: Revocation): void
}

/** A transaction under way, with what takes effect once it is committed. */
export interface Unit extends Facts {
  readonly events: AuditEvent[]
  readonly revoking: Revocation[]
}

/** Commits a unit, then lets its revocations and events take effect, then answers: commit, memory, reply. */
export async function commit<T>(context: Context, run: (unit: Unit) => Promise<T>): Promise<T> {
  let committed: Unit | undefined
  const verdict = await context.store.transaction((facts) => {
    // A store may run a unit again; only the run that is committed counts.
    committed = { ...facts, events: [], revoking: [] }
    return run(committed)
  })
  for (const revocation of committed?.revoking ?? []) context.revoked.add(revocation)
  for (const event of committed?.events ?? []) context.emit(event)
  return verdict
}
