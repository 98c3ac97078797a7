/**
 * The types of audit events, with their rules. A feature adds its own: it extends this interface by
 * the type of what `defineEvents` returned.
 */
export interface AuditEventTypes extends Readonly<typeof coreEvents> {}

/** The name of an audit event. */
export type AuditEventType = keyof AuditEventTypes

/** How events of one type are stored. */
export interface EventRule {
  /**
   * For events that anyone can cause in large numbers: returns a key. Events of the same key and
   * minute share one row. Without it each event has its own row.
   */
  readonly countedBy?: (event: AuditEvent) => string
}

/** An event of the audit log. */
export interface AuditEvent {
  /** What happened, such as `session.created`. */
  readonly type: AuditEventType
  /** Milliseconds since 1970. */
  readonly time: number
  /** The user or API client concerned. */
  readonly subject?: string | undefined
  /** The session concerned. */
  readonly sessionId?: string | undefined
  /** The address of the client. */
  readonly ip?: string | undefined
  /** The user agent of the client. */
  readonly userAgent?: string | undefined
  /** Details by type. Never a token, a password, a secret or a hash. */
  readonly data?: Readonly<Record<string, unknown>>
}

const RULES = new Map<string, EventRule>()

/**
 * Adds event types.
 *
 * @returns the rules, for the declaration of the feature
 */
export function defineEvents<Type extends string>(rules: Record<Type, EventRule>): Record<Type, EventRule> {
  for (const [type, rule] of Object.entries<EventRule>(rules)) RULES.set(type, rule)
  return rules
}

/** Returns the rule of an event type. */
export function eventRule(type: AuditEventType): EventRule | undefined {
  return RULES.get(type)
}

/** All event types, for documentation and tests. */
export function auditEventTypes(): readonly string[] {
  return [...RULES.keys()]
}

const coreEvents = defineEvents({ 'secrets.rewrapped': {} })
