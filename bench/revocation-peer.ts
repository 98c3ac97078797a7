import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard } from '@sealwax/guard'
import { createLocalJWKSet, type JwkSetSource } from '@sealwax/jwt'
import { createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { postgresStore } from 'sealwax/postgres'
import { sqliteStore } from 'sealwax/sqlite'
import { answer } from './child.ts'
import { AUDIENCE } from './tokens.ts'
import { createWatcher, watching } from './watcher.ts'

// Runs a server with its own guard, or ten guards in another process that follow the feeds of the
// servers.

const BASE = 'http://127.0.0.1:5000'
const SECRET = 'gT5-bench-only-Wq8Zr2Nc7Lk4Xv9Jd3Hs'

export interface Session {
  readonly accessToken: string
  readonly refreshToken: string
}

async function server(database: string): Promise<void> {
  const store = database.startsWith('postgres:') ? postgresStore(database) : sqliteStore(database)
  const auth = await createAuth({ issuer: BASE, audience: AUDIENCE, secret: SECRET, store })
  const listener = createServer(toNodeHandler(auth))
  listener.keepAliveTimeout = 600_000
  await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready))
  const { port } = listener.address() as AddressInfo
  answer({
    ...watching(createWatcher([auth.guard])),
    port: () => port,
    async sessions({ count }: { count: number }): Promise<Session[]> {
      const made: Session[] = []
      for (let index = 0; index < count; index++) {
        const { access_token, refresh_token } = await auth.sessions.create({ subject: `user ${index}` })
        made.push({ accessToken: access_token, refreshToken: refresh_token })
      }
      return made
    },
  })
}

/** @param ports the ports of the servers; their feeds are distributed over the guards */
async function guards(ports: readonly number[]): Promise<void> {
  const answered = await fetch(`http://127.0.0.1:${ports[0]}/.well-known/jwks.json`)
  const keys = createLocalJWKSet((await answered.json()) as JwkSetSource)
  const ten = Array.from({ length: 10 }, (_, index) => {
    const url = `http://127.0.0.1:${ports[index % ports.length]}/.well-known/revocations`
    return createGuard({ issuer: BASE, audience: AUDIENCE, keys, revocation: { url } })
  })
  answer(watching(createWatcher(ten)))
}

async function main(): Promise<void> {
  const [role, ...rest] = process.argv.slice(2)
  if (role === 'server') await server(rest[0] as string)
  else if (role === 'guards') await guards(rest.map(Number))
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
