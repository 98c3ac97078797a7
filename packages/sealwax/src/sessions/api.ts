import { checkedCalls, ORIGIN, PAGE } from '../core/calls.ts'
import type { Context } from '../core/context.ts'
import { checkedKey } from '../dpop/proof-key.ts'
import { revokeAllSessions, revokeSessionById } from './end.ts'
import { type ExchangeSession, exchangeSession } from './exchange.ts'
import { listSessions, type Session } from './list.ts'
import { confirmRefreshToken, refreshSession } from './refresh.ts'
import { type CreateSession, checkThumbprint, createSession } from './rules.ts'
import type { TokenResponse } from './tokens.ts'

/** `auth.sessions`: the sessions of built-in users and of users of the application. */
export interface SessionsApi {
  /**
   * Starts a session for a user whom the application has authenticated.
   *
   * @returns the first tokens of the session
   * @throws {AuthError} `validation_failed`; `user_disabled` when the user is disabled, or unknown
   *   to `loadSubject`; `temporarily_unavailable` when `loadSubject` fails
   * @example const tokens = await auth.sessions.create({ subject: 'user-123', roles: ['teacher'] })
   */
  create(session: CreateSession): Promise<TokenResponse>
  /**
   * Exchanges the session of an older system that a request belongs to for a session of this
   * server. See the option `exchange`. The origin of the request is not checked: a route that reads
   * a cookie must refuse requests of other sites.
   *
   * @throws {AuthError} `exchange_disabled`, `exchange_refused`, `user_disabled`,
   *   `validation_failed`, `temporarily_unavailable`
   * @throws {GuardError} for a token that `auth.guard` refuses
   */
  exchange(request: Request, options?: ExchangeSession): Promise<TokenResponse>
  /**
   * Exchanges a refresh token for new tokens.
   *
   * @param origin where the request came from, the device id given at `create`, and the thumbprint
   * of the key that the client has proved to have
   * @throws {AuthError} `invalid_grant` with a `reason`; `invalid_dpop_proof` without
   * the key that the session is bound to; `temporarily_unavailable` or `keys_unavailable`, after
   * which the same token may be used again
   */
  refresh(
    refreshToken: string,
    origin?: {
      ip?: string | undefined
      userAgent?: string | undefined
      device?: string | undefined
      jkt?: string | undefined
    },
  ): Promise<TokenResponse>
  /**
   * Confirms that the client has stored a refresh token. The previous token is accepted for one
   * more `refreshGrace`; after that it counts as a replay. A token that was replaced since changes
   * nothing.
   *
   * @param options `jkt` is the thumbprint of the key that the client has proved to have
   * @throws {AuthError} `invalid_grant` with a `reason`; `invalid_dpop_proof`
   */
  confirm(refreshToken: string, options?: { jkt?: string }): Promise<void>
  /**
   * Returns the live sessions of a user, newest first: all of them, or a page.
   *
   * @param page `limit` is at most 500; `after` is the id of the last session of the previous page
   * @throws {AuthError} `validation_failed` when the user has no session `after`
   */
  list(subject: string, page?: { after?: string; limit?: number }): Promise<Session[]>
  /** Ends a session and revokes its tokens. Returns false if it is unknown or has already ended. */
  revoke(id: string): Promise<boolean>
  /**
   * Ends all sessions of a user and revokes their tokens.
   *
   * @param options `except` is the id of a session that continues
   * @returns how many sessions have ended
   */
  revokeAll(subject: string, options?: { except?: string }): Promise<number>
}

/** Creates `auth.sessions`. */
export function sessionsApi(context: Context): { readonly sessions: SessionsApi } {
  return {
    sessions: checkedCalls<SessionsApi>(
      'sessions',
      {
        create: (session) => createSession(context, session),
        exchange: (request, options) => exchangeSession(context, request, options),
        async refresh(token, { device, jkt, ...origin } = {}) {
          checkThumbprint(jkt)
          return refreshSession(context, token, origin, { device, key: checkedKey(jkt) })
        },
        async confirm(token, { jkt } = {}) {
          checkThumbprint(jkt)
          await confirmRefreshToken(context, token, checkedKey(jkt))
        },
        list: (subject, page) => listSessions(context, subject, page),
        revoke: (id) => revokeSessionById(context, id),
        revokeAll: (subject, options) => revokeAllSessions(context, subject, options),
      },
      {
        create: [
          [
            'session',
            {
              subject: 'any',
              roles: 'strings?',
              scope: 'string?',
              claims: 'object?',
              amr: 'strings?',
              remember: 'boolean?',
              accessTtl: 'any?',
              client: { ...ORIGIN, by: 'string?' },
              device: 'any?',
              jkt: 'any?',
            },
          ],
        ],
        exchange: [
          null,
          ['options?', { remember: 'boolean?', device: 'any?', jkt: 'any?', client: { ...ORIGIN, by: 'string?' } }],
        ],
        refresh: ['refreshToken', ['origin?', { ...ORIGIN, device: 'any?', jkt: 'any?' }]],
        confirm: ['refreshToken', ['options?', { jkt: 'any?' }]],
        list: ['subject', PAGE],
        revoke: ['id'],
        revokeAll: ['subject', ['options?', { except: 'string?' }]],
      },
    ),
  }
}
