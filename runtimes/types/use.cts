// CommonJS: TypeScript knows that require loads modules, with module nodenext.
import guard = require('@sealwax/guard')
import jwt = require('@sealwax/jwt')
import sealwax = require('sealwax')
import sqlite = require('sealwax/sqlite')

export async function start(secret: string): Promise<sealwax.AuthServer> {
  const key: jwt.SigningKey = await jwt.generateKey('ES256')
  const options = { issuer: 'https://auth.example.com', audience: 'api' }
  const one: guard.Guard = guard.createGuard({ ...options, keys: key, revocation: null })
  one.close()
  return sealwax.createAuth({ ...options, secret, store: sqlite.sqliteStore(':memory:') })
}
