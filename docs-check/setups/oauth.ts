import express from 'express'
import { createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

/** An auth server under a prefix. */
export const auth = await createAuth({
  issuer: 'https://api.example.com/auth',
  audience: 'https://api.example.com',
  secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
  store: sqliteStore(':memory:'),
})

/** The application of the reader, which mounts it. */
export const app = express()
app.use('/auth', toNodeHandler(auth))
