import { generateKeyPairSync } from 'node:crypto'
import express from 'express'
import { serveAuth } from './moving-server.ts'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'

/** The values of JWT_PUBLIC_KEY and JWT_PRIVATE_KEY, where the Flask app has a pair of keys. */
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
export const oldPublicKey = pair.publicKey

/** The revoked tokens of the Flask app. */
export const blocklist = new Set<string>()

interface User {
  readonly id: string
  readonly email: string
  readonly plan: string
  readonly roles: readonly string[]
  readonly active: boolean
}
const ann: User = { id: '7', email: 'ann@example.com', plan: 'free', roles: ['teacher'], active: true }
/** The users of the application, where it has a table of its own. */
export const users = {
  find: async (id: string): Promise<User | undefined> => (id === ann.id ? ann : undefined),
  check: async (email: string, _password: string): Promise<User | undefined> => (email === ann.email ? ann : undefined),
}

export const app = express()
app.use(express.json())

export const auth = await serveAuth({}, { id: '7', email: 'ann@example.com' })
export const tokens = await auth.sessions.create({ subject: '7', amr: ['pwd'] })
export const token = tokens.access_token

/** A request of a page that has the cookies of the Flask app. */
export const request = new Request('https://auth.example.com/login/exchange', {
  method: 'POST',
  headers: { Cookie: 'theme=dark; refresh_token_cookie=eyJ' },
})
