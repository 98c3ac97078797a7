import { Hono } from 'hono'
import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

export const app = new Hono()
export const auth = await createAuth({
  issuer: 'https://api.example.com',
  audience: 'shop-api',
  secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
  store: sqliteStore(':memory:'),
})
