import { importKey } from '@sealwax/jwt'
import Fastify from 'fastify'
import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

export const app = Fastify()
export const auth = await createAuth({
  issuer: 'https://api.example.com',
  audience: 'shop-api',
  secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
  store: sqliteStore(':memory:'),
})
/** The secret of the old app (a test value). */
export const keys = importKey(Buffer.from('test value: 0f1e2d3c4b5a69788796a5b4c3d2e1f0'), { alg: 'HS256' })
