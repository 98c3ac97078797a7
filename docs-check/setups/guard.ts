import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { createGuard } from '@sealwax/guard'
import express from 'express'
import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'
import { answerAt } from '../hosts.ts'

export const issuer = 'https://auth.example.com'
export const audience = 'https://api.example.com'

/** The auth server whose tokens the guards of the page accept. */
export const auth = await createAuth({
  issuer,
  audience,
  secret: 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f',
  store: sqliteStore(':memory:'),
})
answerAt(issuer, (request) => auth.fetch(request))

/** The guard of the reader's service. Without the option, node:http would read the feed. */
export const guard = createGuard({ issuer, audience, fetch: (url, init) => fetch(url, init) })

/** The application of the reader, where a block does not create one of another framework. */
export const app = express()
app.use(express.json())
export const server = createServer(app)

const revoked = new Set<string>()
/** The part of a client of Redis that the page uses. */
export const redis = { exists: async (key: string): Promise<number> => (revoked.has(key) ? 1 : 0) }

/** The public key and the secret (a test value) of an older system. */
export const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })
export const secret = 'test value: 0f1e2d3c4b5a69788796a5b4c3d2e1f0'
