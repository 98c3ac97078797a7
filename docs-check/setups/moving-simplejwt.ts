import { createHmac } from 'node:crypto'
import { importKey } from '@sealwax/jwt'
import express from 'express'
import { serveAuth } from './moving-server.ts'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'
const signingKey = 'test value: django-insecure-0f1e2d3c4b5a69788796a5b4'
/** The SIGNING_KEY of the Django project. */
export const oldKey = importKey(Buffer.from(signingKey), { alg: 'HS256' })

export const app = express()
app.use(express.json())

interface User {
  readonly id: string
  readonly username: string
  readonly groups: readonly string[]
  readonly isActive: boolean
}
const ann: User = { id: '7', username: 'ann', groups: ['teacher'], isActive: true }
/** The users of the application, where it has a table of its own. */
export const users = {
  find: async (id: string): Promise<User | undefined> => (id === ann.id ? ann : undefined),
  check: async (name: string, _password: string): Promise<User | undefined> =>
    name === ann.username ? ann : undefined,
}

export const auth = await serveAuth({}, { id: '7', email: 'ann@example.com' })
export const tokens = await auth.sessions.create({ subject: '7', amr: ['pwd'] })

/** A sliding token as simplejwt signs it, with a number as user_id. It expired ten minutes ago. */
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = Math.floor(Date.now() / 1000)
const claims = {
  token_type: 'sliding',
  exp: now - 600,
  iat: now - 900,
  jti: '5f0a',
  user_id: 7,
  refresh_exp: now + 3600,
}
const signed = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(claims)}`
export const slidingToken = `${signed}.${createHmac('sha256', signingKey).update(signed).digest('base64url')}`
