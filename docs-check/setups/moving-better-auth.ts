import { DatabaseSync } from 'node:sqlite'
import { exportJwk, generateKey, sign } from '@sealwax/jwt'
import { answerAt } from '../hosts.ts'
import './moving-server.ts'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'

const app = 'https://app.example.com'
const id = 'HXfy7ph27Hz4yb0r8Tm3UU4tJVeJr4rT'

/** Test value: the secret with which Better Auth 1.7 has signed the cookie below. */
export const betterAuthSecret = 'test-value-of-the-better-auth-secret-0123'
const cookie =
  'better-auth.session_token=XrAvaAk1oiJIXiVZkStLa1KmLhVu2jPR.%2FytIpTmvfcg7rrXVwqwuM4S7HCeG0%2Be23pK9TWcKyZM%3D'

const database = new DatabaseSync(':memory:')
database.function('now', () => '2026-12-01T00:00:00.000Z')
database.exec('create table session (id text, token text, "userId" text, "createdAt" date, "expiresAt" date)')
database
  .prepare('insert into session values (?, ?, ?, ?, ?)')
  .run('VEoX6p8m', 'XrAvaAk1oiJIXiVZkStLa1KmLhVu2jPR', id, '2026-11-29T16:02:32.471Z', '2026-12-06T16:02:32.471Z')

/** The rows of a query. */
interface Rows {
  readonly rows: readonly { readonly id: string; readonly userId: string; readonly createdAt: string }[]
}

/** Queries as in `pg`. */
export const oldDatabase = {
  async query(sql: string, [token = '']: readonly string[]): Promise<Rows> {
    return { rows: database.prepare(sql).all({ $1: token }) } as unknown as Rows
  },
}

const key = await generateKey('EdDSA', { kid: 'RZtSz5WDhjhy2eAhnip9JLkiCkFtpTzE' })
answerAt(app, () => Response.json({ keys: [exportJwk(key)] }))
/** As the plugin `jwt` makes it. */
const token = sign({ sub: id, email: 'ann@example.com' }, key, {
  issuer: app,
  audience: app,
  expiresIn: '15m',
  typ: null,
})
export const request = new Request('https://api.example.com/orders', {
  headers: { Cookie: `theme=dark; ${cookie}`, Authorization: `Bearer ${token}` },
})
