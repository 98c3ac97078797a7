import { createClient, type Session } from '@sealwax/client'
import { createDpopFetch } from '@sealwax/client/dpop'
import { type Auth, createGuard, type Guard, GuardError } from '@sealwax/guard'
import { accessCookie } from '@sealwax/guard/access-cookie'
import { createDpopVerifier } from '@sealwax/guard/dpop'
import { protect as protectExpress } from '@sealwax/guard/express'
import { protect as protectFastify } from '@sealwax/guard/fastify'
import { protect as protectFetch } from '@sealwax/guard/fetch'
import { protect as protectHono } from '@sealwax/guard/hono'
import { entra, oidc } from '@sealwax/guard/issuers'
import { protect as protectKoa } from '@sealwax/guard/koa'
import { protect as protectNode } from '@sealwax/guard/node'
import { authenticateSocket } from '@sealwax/guard/sockets'
import { createTestIssuer, testGuardedRoute } from '@sealwax/guard/testing'
import { watch } from '@sealwax/guard/watch'
import { generateKey, JwtError, type SigningKey, sign, verify } from '@sealwax/jwt'
import { inspect } from '@sealwax/jwt/inspect'
import { type AuthServer, createAuth } from 'sealwax'
import { protect } from 'sealwax/express'
import { toNodeHandler } from 'sealwax/node'
import { postgresStore } from 'sealwax/postgres'
import { sqliteStore } from 'sealwax/sqlite'

export async function tokens(): Promise<string> {
  const key: SigningKey = await generateKey('ES256')
  const options = { issuer: 'https://auth.example.com', audience: 'api', typ: 'at+jwt' } as const
  const token: string = sign({ sub: 'ann' }, key, { ...options, expiresIn: '15m' })
  const subject: string | undefined = verify(token, key, options).payload.sub
  // @ts-expect-error the audience must be written
  verify(token, key, { issuer: options.issuer, typ: 'at+jwt' })
  return `${subject}${inspect(token).notice}${new JwtError('ERR_JWT_EXPIRED', '').code}`
}

export async function guards(request: Request): Promise<readonly string[]> {
  const dpop = createDpopVerifier({ baseUrl: 'https://api.example.com' })
  const guard: Guard = createGuard({ issuer: 'https://auth.example.com', audience: 'api', dpop })
  const auth: Auth = await guard.authenticate(request, { scope: ['a', 'b'], fresh: '5m' })
  const perhaps: Auth | undefined = await guard.authenticate(request, { optional: true })
  const signal: AbortSignal = watch(guard, auth)
  createGuard(oidc({ issuer: 'https://id.example.com', audience: 'api' }))
  createGuard(entra({ tenant: '00000000-0000-0000-0000-000000000000', audience: 'api' }))
  protectExpress(guard)
  protectFastify(guard)
  protectHono(guard)
  protectKoa(guard)
  protectNode(guard, (_req, res, { subject }) => res.end(subject))
  protectFetch(guard, (_request, { subject }) => Response.json({ subject }))
  const handled = [accessCookie, authenticateSocket, createTestIssuer, testGuardedRoute, GuardError]
  return [...auth.scopes, String(perhaps?.subject), String(signal.aborted), String(handled.length)]
}

export async function server(secret: string): Promise<AuthServer> {
  const store = process.env.DATABASE_URL ? postgresStore(process.env.DATABASE_URL) : sqliteStore('app.db')
  const auth: AuthServer = await createAuth({ issuer: 'https://auth.example.com', audience: 'api', secret, store })
  const { id } = await auth.users.create({ email: 'ann@example.com', password: 'correct horse battery staple' })
  const { access_token } = await auth.sessions.create({ subject: id })
  toNodeHandler(auth)
  protect(auth.guard, { role: 'admin' })
  // @ts-expect-error there is no such option
  await createAuth({ issuer: 'x', audience: 'api', secret, store, pasword: access_token })
  return auth
}

export async function client(): Promise<Session | undefined> {
  const one = createClient({ baseUrl: 'https://auth.example.com', fetch: createDpopFetch() })
  await one.login({ email: 'ann@example.com', password: 'correct horse battery staple' })
  const reply: Response = await one.fetch('/profile')
  return reply.ok ? one.session() : undefined
}
