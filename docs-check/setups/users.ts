import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'

/** The auth server inside the application of the reader. */
export const auth = await createAuth({
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
  secret: process.env.AUTH_SECRET,
  store: sqliteStore(':memory:'),
})
