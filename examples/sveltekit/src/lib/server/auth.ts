import { randomBytes } from 'node:crypto'
import type { RequestEvent } from '@sveltejs/kit'
import { type AuthServer, createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'
import { url } from './url.ts'

const kept = globalThis as { auth?: Promise<AuthServer> }

/** One server per process: in development, Vite loads this module again after each change. */
export function authServer(): Promise<AuthServer> {
  kept.auth ??= start()
  return kept.auth
}

async function start(): Promise<AuthServer> {
  const auth = await createAuth({
    issuer: `${url}/auth`,
    audience: url,
    basePath: '/auth',
    secret: randomBytes(48).toString('base64'), // a demo: a real program has the same one at each start
    store: sqliteStore(':memory:'), // a demo: a real program has a file, or Postgres
  })
  const password = 'change-this-demo-password'
  await auth.users.create({ id: 'user-123', email: 'alex@example.com', password })
  await auth.users.create({ id: 'user-456', email: 'bob@example.com', password, roles: ['teacher'] })
  process.once('sveltekit:shutdown', () => void auth.close()) // adapter-node, after SIGTERM
  return auth
}

/** The audit log shows it, and a refresh is compared with it. */
export function clientOf(auth: AuthServer, { request: { headers }, getClientAddress }: RequestEvent) {
  return {
    ip: auth.clientAddress(getClientAddress(), headers.get(auth.forwardedHeader) ?? undefined),
    userAgent: headers.get('User-Agent')?.slice(0, 256),
  }
}
