import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { getRequestListener } from '@hono/node-server'
import { hash, verify } from '@node-rs/argon2'
import { sign } from '@sealwax/jwt'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler as betterAuthHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { Hono } from 'hono'
import { createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'
import { answer, processorTime } from './child.ts'
import { DATABASE, OURS, PASSWORD } from './installation.ts'
import { AUDIENCE, claimsOf, ISSUER, LIFETIME, makeKey, TYPE } from './tokens.ts'

// Runs one of the servers that are compared, in a separate process.

/** As many as log in at once: several log-ins of one account would be slowed down. */
const USERS = 1000
/** The argon2id parameters of our server. */
const PARAMETERS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export interface About {
  readonly port: number
  /** The credentials of the clients: refresh tokens, or the header lines of a signed-in user. */
  readonly clients: readonly string[]
  readonly emails: readonly string[]
  readonly accessToken: string
}

interface Prepared extends Omit<About, 'port'> {
  readonly listener: RequestListener
}

const emailOf = (index: number) => `user${index}@example.com`

/** Our server, with a refresh window of 0 seconds so that each refresh rotates and writes. */
async function sealwax(directory: string, clients: number): Promise<Prepared> {
  const auth = await createAuth({
    ...OURS,
    refreshGrace: 0,
    store: sqliteStore(join(directory, DATABASE)),
  })
  const emails = Array.from({ length: USERS }, (_, index) => emailOf(index))
  const passwordHash = await hash(PASSWORD, PARAMETERS)
  const users = await Promise.all(emails.map((email) => auth.users.create({ email, passwordHash })))
  const sessions = await Promise.all(
    Array.from({ length: clients }, (_, index) =>
      auth.sessions.create({ subject: users[index % USERS]?.id as string }),
    ),
  )
  return {
    listener: toNodeHandler(auth, { overrideGlobalObjects: true }),
    clients: sessions.map(({ refresh_token }) => refresh_token),
    emails,
    accessToken: sessions[0]?.access_token as string,
  }
}

/**
 * Better Auth on node:sqlite, set up as in its documentation, with ES256 like ours and without its
 * rate limit.
 */
async function betterAuthServer(directory: string, clients: number): Promise<Prepared> {
  const database = new DatabaseSync(join(directory, 'better-auth.db'))
  database.exec('pragma journal_mode = wal')
  database.exec('pragma synchronous = full')
  const options = {
    ...{ database, secret: OURS.secret, baseURL: 'http://127.0.0.1:5001', telemetry: { enabled: false } },
    ...{ rateLimit: { enabled: false }, logger: { disabled: true } },
    emailAndPassword: {
      enabled: true,
      // Only to start faster: no request that is measured checks a password.
      password: { hash: async (password: string) => password, verify: async () => true },
    },
    plugins: [jwt({ jwks: { keyPairConfig: { alg: 'ES256' as const } }, jwt: { issuer: ISSUER, audience: AUDIENCE } })],
  }
  await (await getMigrations(options)).runMigrations()
  const auth = betterAuth(options)
  const cookies: string[] = []
  for (let index = 0; index < clients; index++) {
    const body = { email: emailOf(index), password: PASSWORD, name: `User ${index}` }
    const reply = await auth.api.signUpEmail({ body, asResponse: true })
    const cookie = reply.headers.getSetCookie().map((line) => line.split(';', 1)[0])
    cookies.push(`Cookie: ${cookie.join('; ')}\r\n`)
  }
  return { listener: betterAuthHandler(auth), clients: cookies, emails: [], accessToken: '' }
}

/**
 * The lower bound: a POST route that only signs one token, and one that checks a password first.
 */
async function bareSigning(_: string, clients: number): Promise<Prepared> {
  const key = makeKey('ES256').ours
  const app = new Hono()
  const options = { issuer: ISSUER, audience: AUDIENCE, typ: TYPE, expiresIn: LIFETIME }
  let count = 0
  const token = () => {
    count += 1
    return { access_token: sign(claimsOf(count), key, options) }
  }
  app.post('/sign', (c) => c.json(token()))
  const stored = await hash(PASSWORD, PARAMETERS)
  const turns = Array.from({ length: availableParallelism() }, () => Promise.resolve(true))
  let asked = 0
  app.post('/login', async (c) => {
    asked += 1
    const place = asked % turns.length
    const turn = (turns[place] as Promise<boolean>).then(() => verify(stored, PASSWORD))
    turns[place] = turn
    return c.json((await turn) ? token() : {}, 200)
  })
  const listener = getRequestListener(app.fetch)
  return { listener, clients: new Array<string>(clients).fill(''), emails: [], accessToken: '' }
}

/** Password checks per second with argon2id alone, as many at once as there are cores. */
async function argon2({ milliseconds }: { milliseconds: number }): Promise<number> {
  const stored = await hash(PASSWORD, PARAMETERS)
  const start = performance.now()
  let count = 0
  const work = async () => {
    while (performance.now() - start < milliseconds) {
      if (!(await verify(stored, PASSWORD))) throw new Error('the password was not recognised')
      count += 1
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return count / ((performance.now() - start) / 1000)
}

const SERVERS: Readonly<Record<string, (directory: string, clients: number) => Prepared | Promise<Prepared>>> = {
  ...{ sealwax, 'better-auth': betterAuthServer, bare: bareSigning },
}

async function main(): Promise<void> {
  const [name = '', directory = '', clients = '1'] = process.argv.slice(2)
  const prepare = SERVERS[name]
  if (prepare === undefined) throw new Error('The first argument must be the name of a server')
  const { listener, ...about } = await prepare(directory, Number(clients))
  const server = createServer(listener)
  server.keepAliveTimeout = 600_000
  await new Promise<void>((ready) => server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, ready))
  const { port } = server.address() as AddressInfo
  answer({ about: () => ({ port, ...about }), time: processorTime, argon2 })
}

main().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
