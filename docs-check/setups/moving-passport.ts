import express from 'express'
import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

export const app = express()
export const auth = await createAuth({
  issuer: 'https://api.example.com',
  audience: 'shop-api',
  secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
  store: sqliteStore(':memory:'),
})

const rows = [{ id: 'user-7', name: 'ann' }]
/** The table of users of the reader's application. */
export const users = { find: async (id: string) => rows.find((row) => row.id === id) }
