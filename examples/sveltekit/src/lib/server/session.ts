import { type Auth, GuardError } from '@sealwax/guard'
import type { RequestEvent } from '@sveltejs/kit'
import { AuthError, type AuthServer, type TokenResponse } from 'sealwax'
import { clientOf } from './auth.ts'

/** Returns the user of the request, undefined if nobody is logged in. Renews the session if necessary. */
export async function loadUser(auth: AuthServer, event: RequestEvent): Promise<Auth | undefined> {
  const token = event.cookies.get(cookiesOf(event).access)
  return (token && (await verified(auth, token))) || (await renew(auth, event))
}

/** Stores the tokens of a log-in or a refresh in cookies that scripts cannot read. */
export function storeTokens(event: RequestEvent, tokens: TokenResponse): void {
  const { access, refresh, options } = cookiesOf(event)
  event.cookies.set(access, tokens.access_token, { ...options, maxAge: tokens.expires_in })
  event.cookies.set(refresh, tokens.refresh_token, { ...options, maxAge: tokens.refresh_expires_in })
}

/** Ends the session on the server and deletes the cookies. */
export async function endSession(auth: AuthServer, event: RequestEvent): Promise<void> {
  const { user } = event.locals
  if (user?.sessionId !== undefined) await auth.sessions.revoke(user.sessionId)
  deleteCookies(event)
}

/** The access token has expired or is stale: gets another one, unless the session has ended. */
async function renew(auth: AuthServer, event: RequestEvent): Promise<Auth | undefined> {
  const refreshToken = event.cookies.get(cookiesOf(event).refresh)
  if (!refreshToken) return undefined
  try {
    const tokens = await auth.sessions.refresh(refreshToken, clientOf(auth, event))
    storeTokens(event, tokens)
    return await verified(auth, tokens.access_token)
  } catch (error) {
    if (!(error instanceof AuthError && error.code === 'invalid_grant')) throw error
    deleteCookies(event)
    return undefined
  }
}

/** Returns undefined for a token that is refused. */
async function verified({ guard }: AuthServer, token: string): Promise<Auth | undefined> {
  try {
    return await guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
  } catch (error) {
    if (error instanceof GuardError && error.status < 500) return undefined
    throw error
  }
}

function deleteCookies(event: RequestEvent): void {
  const { access, refresh, options } = cookiesOf(event)
  event.cookies.delete(access, options)
  event.cookies.delete(refresh, options)
}

function cookiesOf({ url }: RequestEvent) {
  const secure = url.protocol === 'https:'
  const prefix = secure ? '__Host-' : '' // browsers then accept the cookie from this host only
  // With Lax, a user who follows a link from another site or a mail is logged in.
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
  return { access: `${prefix}access`, refresh: `${prefix}refresh`, options }
}
