import { type Auth, GuardError } from '@sealwax/guard'
import type { RequestEvent } from '@sveltejs/kit'
import { AuthError, type AuthServer, type TokenResponse } from 'sealwax'
import { clientOf } from './auth.ts'
import { url } from './url.ts'

const secure = url.startsWith('https:')
const prefix = secure ? '__Host-' : '' // browsers then accept the cookie from this host only
const [ACCESS, REFRESH, DEVICE] = [`${prefix}access`, `${prefix}refresh`, `${prefix}device`]
// With Lax, a user who follows a link from another site or a mail is logged in.
const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
const YEAR = 365 * 86_400

/** Returns the user, undefined if nobody is logged in. Renews the session if necessary. */
export async function loadUser(auth: AuthServer, event: RequestEvent): Promise<Auth | undefined> {
  const token = event.cookies.get(ACCESS)
  return (token && (await verified(auth, token))) || (await renew(auth, event))
}

/**
 * Logs a user in, and ends the session of an earlier log-in.
 * @throws {AuthError} why the log-in is refused
 */
export async function logIn(event: RequestEvent, credentials: { email: string; password: string }): Promise<void> {
  const { auth } = event.locals
  // A browser that has logged in before does not wait while somebody guesses passwords.
  const deviceToken = event.cookies.get(DEVICE)
  const result = await auth.login({ ...credentials, deviceToken }, clientOf(auth, event))
  await logOut(event)
  store(event, result.tokens)
  event.cookies.set(DEVICE, result.deviceToken, { ...options, maxAge: YEAR })
}

/** Ends the session on the server and deletes its cookies. */
export async function logOut({ cookies, locals: { auth, user } }: RequestEvent): Promise<void> {
  if (user?.sessionId !== undefined) await auth.sessions.revoke(user.sessionId)
  cookies.delete(ACCESS, options)
  cookies.delete(REFRESH, options)
}

/** The access token has expired or is stale: gets another one, unless the session has ended. */
async function renew(auth: AuthServer, event: RequestEvent): Promise<Auth | undefined> {
  const refreshToken = event.cookies.get(REFRESH)
  if (!refreshToken) return undefined
  try {
    const tokens = await auth.sessions.refresh(refreshToken, clientOf(auth, event))
    store(event, tokens)
    return await verified(auth, tokens.access_token)
  } catch (error) {
    // The cookies stay: a log-in may have replaced them meanwhile, and this reply would delete
    // the new ones.
    if (error instanceof AuthError && error.code === 'invalid_grant') return undefined
    throw error
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

function store({ cookies }: RequestEvent, tokens: TokenResponse): void {
  cookies.set(ACCESS, tokens.access_token, { ...options, maxAge: tokens.expires_in })
  cookies.set(REFRESH, tokens.refresh_token, { ...options, maxAge: tokens.refresh_expires_in })
}
