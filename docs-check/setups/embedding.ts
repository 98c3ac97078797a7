import { createServer } from 'node:http'
import express from 'express'
import { createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'
process.env.PORT = '0' // any free port

/** The auth server that the first block of the page creates. */
export const auth = await createAuth({
  issuer: 'https://api.example.com',
  audience: 'https://api.example.com',
  secret: process.env.AUTH_SECRET,
  store: sqliteStore(':memory:'),
})

/** The application of the reader, where a block does not create one of another framework. */
export const app = express()
app.use(toNodeHandler(auth))
export const server = createServer(app)

const rows = [
  { id: 'user-123', name: 'ann', password: 'test value: ann', roles: ['teacher'], banned: false, tenant: 't1' },
]
/** The table of users of the reader's application. */
export const users = {
  find: async (id: string) => rows.find((row) => row.id === id),
  check: async (name: string, password: string) => rows.find((row) => row.name === name && row.password === password),
}
/** Where the reader's application keeps to which tenant a user belongs. */
export const tenants = { of: async (id: string) => rows.find((row) => row.id === id)?.tenant ?? 'none' }
