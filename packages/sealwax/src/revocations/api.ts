import { checkedCalls } from '../core/calls.ts'
import type { Context } from '../core/context.ts'
import { revokeToken } from './rules.ts'

/** `auth.tokens`: single access tokens. */
export interface TokensApi {
  /**
   * Revokes one access token, by its claim `jti`. Guards refuse it as `token_stale`: its session
   * goes on, and the client gets a new token with its next refresh. To end the session, use
   * `auth.sessions.revoke`. It is no error if there is no such token.
   *
   * @throws {AuthError} `validation_failed` for a `jti` that no token of this server can have
   */
  revoke(jti: string): Promise<void>
}

/** Creates `auth.tokens`. */
export function tokensApi(context: Context): { readonly tokens: TokensApi } {
  return {
    tokens: checkedCalls<TokensApi>('tokens', { revoke: (jti) => revokeToken(context, jti) }, { revoke: ['jti'] }),
  }
}
