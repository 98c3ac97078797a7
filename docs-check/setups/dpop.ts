import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

/** The auth server inside the application of the reader. */
export const auth = await createAuth({
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
  secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
  store: sqliteStore(':memory:'),
})

const rows = [{ id: 'user-123', name: 'ann', password: 'test value: ann' }]
/** The table of users of that application. */
export const users = {
  check: async (name: string, password: string) => rows.find((row) => row.name === name && row.password === password),
}

const stored = new Set<string>()
/** The part of a client of Redis that the page uses. */
export const redis = {
  async set(key: string, _value: string, _options: { NX: true; PX: number }): Promise<'OK' | null> {
    if (stored.has(key)) return null
    stored.add(key)
    return 'OK'
  },
}
