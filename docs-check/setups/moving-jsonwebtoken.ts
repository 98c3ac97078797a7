import express from 'express'
import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'
/** The secret of the old app, and one that is too short (test values). */
export const secret = 'test value: 0f1e2d3c4b5a69788796a5b4c3d2e1f0'
export const shortSecret = 'test value: short'

export const app = express()
export const auth = await createAuth({
  issuer: 'https://api.example.com',
  audience: 'shop-api',
  secret: process.env.AUTH_SECRET,
  store: sqliteStore(':memory:'),
})
