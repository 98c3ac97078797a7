import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'
import { answerAt } from '../hosts.ts'

// The dates on the pages are not over yet, whenever they are checked.
const realNow = Date.now
const ahead = realNow() - Date.parse('2026-12-01')
Date.now = () => realNow() - ahead

/** The new server of the pages about moving, with the options that they are about. */
export async function serveAuth(
  options: Pick<Parameters<typeof createAuth>[0], 'issuers' | 'exchange'>,
  user: { readonly id: string; readonly email: string },
) {
  const auth = await createAuth({
    issuer: 'https://auth.example.com',
    audience: 'orders-api',
    secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
    store: sqliteStore(':memory:'),
    ...options,
  })
  await auth.users.create({ ...user, password: 'a violet submarine in spring' })
  answerAt('https://auth.example.com', (request) => auth.fetch(request))
  return auth
}

/** A request to a guarded route with an access token. */
export function requestWith(token: string): Request {
  return new Request('https://api.example.com/orders', { headers: { Authorization: `Bearer ${token}` } })
}
