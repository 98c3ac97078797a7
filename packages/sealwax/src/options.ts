import type { TrustedIssuer } from '@sealwax/guard'
import type { Algorithm, Duration } from '@sealwax/jwt'
import type { AuditEvent, LoadSubject, Logger } from './engine/context.ts'
import type { Store } from './store/contract/store.ts'

/** `forwarded` is RFC 7239. */
export type ForwardedHeader = 'x-forwarded-for' | 'forwarded'

/** Options of `createAuth`. Unknown options and `undefined` values throw `config_invalid`. */
export interface AuthOptions {
  /** The URL that names this issuer in every token (`iss`), and the public base of its endpoints. https, or http on loopback; in its canonical form. */
  readonly issuer: string
  /** What the tokens are for (`aud`): one API, or a list. */
  readonly audience: string | readonly string[]
  /** The server secret, at least 32 characters: the first of a list wraps what is stored, all of them unwrap. */
  readonly secret: string | readonly string[]
  readonly store: Store
  /** Signing algorithm. Default ES256. */
  readonly alg?: Algorithm
  /** Life of an access token, which ends with its session at the latest. Default 15 minutes, at most 24 hours. */
  readonly accessTtl?: Duration
  /** How long a signing key signs before the next one does. Default 30 days, at least 5 minutes and the life of an access token. */
  readonly keyPeriod?: Duration
  /** A session ends when it has not been refreshed for so long. Default 14 days. */
  readonly refreshIdle?: Duration
  /** A session ends so long after its log-in, used or not. Default 90 days. */
  readonly refreshAbsolute?: Duration
  /** The window of the refresh table: for so long after a rotation its parent is answered, too. Default 30 seconds, at most 5 minutes. */
  readonly refreshGrace?: Duration
  /** For so long a lost reply is given again, to the same user agent or device id. Default 24 hours; 0 is off. */
  readonly refreshRecovery?: Duration
  /** Audit rows older than this are deleted. Default 400 days, at least 1 day. */
  readonly auditRetention?: Duration
  /** Where the routes stand when not at the root, such as `/auth`. */
  readonly basePath?: string
  /** Other issuers whose access tokens `auth.guard` accepts, such as an older system until a date; Sealwax's own routes do not. Default none. */
  readonly issuers?: readonly TrustedIssuer[]
  /** How many live sessions a user may have; a log-in beyond that ends the one used least recently. Default 100; `Infinity`: no limit. */
  readonly maxSessions?: number
  /** Browser origins that may call the API from elsewhere, compared exactly. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** The name of the cookie that holds a refresh token; `__Host-` is put before it on https. Another one for each installation of a host. Default 'sealwax'. */
  readonly cookieName?: string
  /** How many proxies stand in front (what they forward is believed), or their addresses in CIDR form. Default 0: none. */
  readonly trustProxy?: number | readonly string[]
  /** The header in which these proxies write the address of the client. The other one is ignored. Default 'x-forwarded-for'. */
  readonly forwardedHeader?: ForwardedHeader
  /** Whether strangers may sign up. Default 'open'; with `loadSubject` 'closed'. */
  readonly registration?: 'open' | 'closed'
  /** The role that opens `/admin/*`. Your application's own roles must not include it by accident. Default 'sealwax:admin'. */
  readonly adminRole?: string
  /** Who may read the revocations: everybody, or API clients with the scope `revocations:read`. Default 'public'. */
  readonly revocationFeed?: 'public' | 'clients'
  /** 'off' refuses an older database schema instead of migrating it. Default 'auto'. */
  readonly migrate?: 'auto' | 'off'
  /** Roles, claims and `disabled` of a user, asked whenever a session begins and at each refresh. Default: the built-in users. */
  readonly loadSubject?: LoadSubject
  /** Hears every audit event after it is committed, also each of those that share a row of the audit log. */
  readonly onEvent?: (event: AuditEvent) => void
  /** A pino-like logger. Default: silent. */
  readonly logger?: Logger
  /** Milliseconds since 1970; for tests that move the clock. Default `Date.now`. */
  readonly now?: () => number
}

/** The checked options, with defaults; durations in milliseconds. */
export interface Config {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly secrets: readonly string[]
  readonly alg: Algorithm
  readonly accessTtl: number
  readonly keyPeriod: number
  readonly refreshIdle: number
  readonly refreshAbsolute: number
  readonly refreshGrace: number
  readonly refreshRecovery: number
  readonly auditRetention: number
  readonly issuers: readonly TrustedIssuer[]
  readonly maxSessions: number
  readonly basePath: string
  readonly allowedOrigins: readonly string[]
  readonly cookieName: string
  readonly forwardedHeader: ForwardedHeader
  readonly trustProxy: number | readonly string[]
  readonly registration: 'open' | 'closed'
  readonly adminRole: string
  readonly revocationFeed: 'public' | 'clients'
  readonly migrate: 'auto' | 'off'
}
