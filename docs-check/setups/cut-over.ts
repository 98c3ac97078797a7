import { createHmac } from 'node:crypto'
import { importKey, sign } from '@sealwax/jwt'
import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'
import { answerAt } from '../hosts.ts'

const DAY_MS = 86_400_000
/** A date that has not passed. */
export const UNTIL = new Date(Date.now() + 31 * DAY_MS).toISOString().slice(0, 10)

/** The options that a server has without `exchange`. */
export const options = {
  issuer: 'https://api.example.com',
  audience: 'https://api.example.com',
  secret: 'a test value of the pages, which no server uses',
  store: sqliteStore(':memory:'),
  loadSubject: (id: string) => (id === 'user-7' ? { roles: ['teacher'] } : undefined),
}

// The server of a client that still has a token of the older system.
const keys = importKey(Buffer.from('a test value that signed the older tokens'), { alg: 'HS256' })
const auth = await createAuth({
  ...options,
  store: sqliteStore(':memory:'),
  issuers: [{ issuer: null, keys, audience: null, until: UNTIL }],
  exchange: { until: UNTIL },
})
answerAt(options.issuer, (request) => auth.fetch(request))

/** What that client has stored. */
export const stored: { old_token?: string; refresh_token?: string } = {
  old_token: sign({ sub: 'user-7' }, keys, { issuer: null, audience: null, typ: 'JWT', expiresIn: '30d' }),
}
export function save({ refresh_token }: { readonly refresh_token: string }): void {
  Object.assign(stored, { refresh_token })
}
export function showLogIn(): void {
  throw new Error('the exchange was refused')
}

/** The sessions of express-session. */
export const oldStore = {
  get: async (id: string) =>
    id === 'session-1'
      ? { userId: 'user-7', loggedInAt: new Date(Date.now() - DAY_MS), roles: ['teacher'] }
      : undefined,
}
process.env.SESSION_SECRET = 'a test value that signed the older cookies'
const signature = createHmac('sha256', process.env.SESSION_SECRET).update('session-1').digest('base64')
const cookie = encodeURIComponent(`s:session-1.${signature.replace(/=+$/, '')}`)
/** A request of a page of the older system. */
export const request = new Request('https://api.example.com/start', { headers: { Cookie: `connect.sid=${cookie}` } })
