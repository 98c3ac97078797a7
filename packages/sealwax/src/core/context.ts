import type { Revocation } from '@sealwax/guard'
import type { ErrorCodes } from '../errors.ts'
import type { AuditEvent, AuditEventTypes } from './events.ts'
import type { Logger } from './logger.ts'
import type { Config, OptionRules } from './options.ts'
import type { Secrets } from './secrets.ts'
import type { LoadSubject } from './subject.ts'
import type { Queries, Store, Unit } from './unit-of-work.ts'

/**
 * The first parameter of every rule: time, randomness, the store and everything else from outside.
 */
export interface Context {
  readonly config: Config
  readonly features: readonly CoreFeature[]
  readonly store: Store
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds on a monotonic clock, to measure durations. */
  readonly elapsed: () => number
  readonly randomBytes: (size: number) => Buffer
  readonly log: Logger
  readonly emit: (event: AuditEvent) => void
  readonly loadSubject: LoadSubject | undefined
  readonly secrets: Secrets
  /** Where revocations take effect immediately in this process. */
  readonly revoked: { add(revocation: Revocation): void }
}

/** State of a feature: one value for each context, created at first use. */
export function perContext<T>(create: (context: Context) => T): (context: Context) => T {
  const states = new WeakMap<Context, T>()
  return (context) => {
    const known = states.get(context)
    if (known !== undefined) return known
    const made = create(context)
    states.set(context, made)
    return made
  }
}

/** The parts of a feature that the core runs. */
export interface CoreFeature {
  readonly name: string
  readonly options?: OptionRules
  readonly errors?: Partial<ErrorCodes>
  readonly events?: Partial<AuditEventTypes>
  readonly queries?: Queries
  /** Each table, and the column by which `db copy` orders its rows. */
  readonly tables?: Readonly<Record<string, string>>
  readonly jobs?: readonly Job[]
  /** Its groups of calls on an `AuthServer`, by name. */
  readonly api?: (context: Context) => Readonly<Record<string, object>>
  readonly wrapped?: WrappedValues
  /** Counts and ends what was issued under a signing key, when a key is revoked. */
  readonly keyHolders?: KeyHolders
  /**
   * Called in the transaction of an audit event, by its type. It may write facts of its own, but
   * must not fail what happened.
   */
  readonly observes?: { readonly [Type in keyof AuditEventTypes]?: Observer }
  /**
   * Called when a server starts, before it opens its store. Throws `config_invalid` for options
   * that the feature cannot work with.
   */
  readonly checkConfig?: (context: Context) => void | Promise<void>
  /** Throws while the feature cannot serve requests. */
  readonly requireReady?: (context: Context) => void
}

/**
 * Work that a server does periodically. Several processes may run the same job at the same time.
 */
export interface Job {
  readonly name: string
  /** Milliseconds between two runs. */
  readonly period: number
  /** Whether it also runs at startup. */
  readonly first?: true
  /** Runs the job. A long one stops early when `signal` is aborted because the server closes. */
  run(context: Context, signal: AbortSignal): Promise<unknown>
}

/** Stored values that are encrypted ("wrapped") by a server secret. */
export interface WrappedValues {
  /** Their name in counts, in the plural. */
  readonly noun: string
  /** For each secret that wraps any of them, the first bytes of one value, or all of it. */
  heads(context: Context): Promise<readonly Uint8Array[]>
  /** Values that are wrapped by the secret of this head, at most `limit`. */
  wrappedBy(context: Context, head: Uint8Array, limit: number): Promise<readonly WrappedValue[]>
  /** Replaces a value unless it has changed meanwhile; returns whether it did. */
  rewrap(unit: Unit, from: WrappedValue, to: Uint8Array): Promise<boolean>
  /**
   * Gives up values whose secret is lost: replaces or deletes them, and revokes what they
   * protected. Returns how many were still in use.
   */
  forget(context: Context, unit: Unit, values: readonly WrappedValue[]): Promise<number>
}

/** A stored value and its place. */
export interface WrappedValue {
  readonly id: string
  readonly value: Uint8Array
  /**
   * Table, row and column. The value is bound to them (as associated data) and cannot be decrypted
   * in another place.
   */
  readonly place: string
}

/** What began before `before` and was issued a token since `since`; milliseconds since 1970. */
export interface IssuedSince {
  readonly since: number
  readonly before: number
}

/** See `CoreFeature.observes`. */
type Observer = (context: Context, unit: Unit, event: AuditEvent) => Promise<void>

/** Sessions that may have tokens signed by a revoked key. */
interface KeyHolders {
  count(context: Context, issued: IssuedSince): Promise<{ sessions: number; subjects: number }>
  /** Ends these sessions. After an interruption it may be called again. */
  end(context: Context, issued: IssuedSince): Promise<unknown>
}
