import { type Auth, type Guard, GuardError } from '@sealwax/guard'
import { accessCookie } from '@sealwax/guard/access-cookie'
import type { CookieOptions, Request, RequestHandler, Response } from 'express'
import { AuthError, type AuthServer, type TokenResponse } from 'sealwax'

const YEAR = 365 * 86_400_000

/** Keeps the session of a user in two cookies that scripts cannot read. */
export interface CookieSession {
  /** Comes before all pages: sets `res.locals.user`, undefined if nobody is logged in. */
  readonly load: RequestHandler
  /**
   * Shows that somebody has logged in with this browser before: such a log-in does not wait while
   * others guess passwords.
   */
  deviceToken(req: Request): string | undefined
  /** Stores the tokens of a log-in. */
  begin(res: Response, loggedIn: { tokens: TokenResponse; deviceToken: string }): Promise<void>
  /** Ends the session on the server and deletes the cookies. */
  end(res: Response): Promise<void>
}

/** @param url the URL of the site; with https, the cookies are `Secure` */
export function cookieSession(auth: AuthServer, url: string): CookieSession {
  const secure = url.startsWith('https:')
  const prefix = secure ? '__Host-' : '' // browsers then accept the cookie from this host only
  const [accessName, refreshName, deviceName] = [`${prefix}access`, `${prefix}refresh`, `${prefix}device`]
  // With Lax, a user who follows a link from another site or a mail is logged in.
  const access = accessCookie({ name: accessName, sameSite: 'Lax', secure })
  const options: CookieOptions = { path: '/', httpOnly: true, sameSite: 'lax', secure }

  function store(res: Response, tokens: TokenResponse): void {
    res.append('Set-Cookie', access.set(tokens.access_token))
    res.cookie(refreshName, tokens.refresh_token, { ...options, maxAge: tokens.refresh_expires_in * 1000 })
  }

  function clear(res: Response): void {
    res.append('Set-Cookie', access.clear())
    res.clearCookie(refreshName, options)
  }

  /** The access token has expired or is stale: gets another one, unless the session has ended. */
  async function renew(req: Request, res: Response): Promise<Auth | undefined> {
    const refreshToken = readCookie(req, refreshName)
    if (refreshToken === undefined) return undefined
    try {
      const tokens = await auth.sessions.refresh(refreshToken, clientOf(auth, req))
      store(res, tokens)
      return await verified(auth.guard, tokens.access_token)
    } catch (error) {
      // The cookies stay: a log-in may have replaced them meanwhile, and this reply would delete
      // the new ones.
      if (error instanceof AuthError && error.code === 'invalid_grant') return undefined
      throw error
    }
  }

  async function end(res: Response): Promise<void> {
    const { user } = res.locals
    if (user?.sessionId !== undefined) await auth.sessions.revoke(user.sessionId)
    clear(res)
  }

  return {
    async load(req, res, next) {
      const token = readCookie(req, accessName)
      res.locals.user = (token && (await verified(auth.guard, token))) || (await renew(req, res))
      next()
    },
    deviceToken: (req) => readCookie(req, deviceName),
    async begin(res, { tokens, deviceToken }) {
      if (res.locals.user !== undefined) await end(res) // the session of an earlier log-in
      store(res, tokens)
      res.cookie(deviceName, deviceToken, { ...options, maxAge: YEAR })
    },
    end,
  }
}

/** The audit log shows it, and a refresh is compared with it. */
export function clientOf(auth: AuthServer, req: Request) {
  return {
    ip: auth.clientAddress(req.socket.remoteAddress, req.get(auth.forwardedHeader)),
    userAgent: req.get('User-Agent')?.slice(0, 256),
  }
}

/** Returns undefined for a token that is refused. */
async function verified(guard: Guard, token: string): Promise<Auth | undefined> {
  try {
    return await guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
  } catch (error) {
    if (error instanceof GuardError && error.status < 500) return undefined
    throw error
  }
}

function readCookie(req: Request, name: string): string | undefined {
  const pairs = req.get('Cookie')?.split('; ') ?? []
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) || undefined
}
