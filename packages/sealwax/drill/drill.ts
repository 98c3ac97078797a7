import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { importKey, type PrivateJwk, type SigningKey, sign, unsafeDecode } from '@sealwax/jwt'
import { storeOf } from '../src/cli/store.ts'
import { secretsOf } from '../src/core/secrets.ts'
import { features } from '../src/features.ts'
import { createAuth } from '../src/index.ts'
import { signingKeyPlace } from '../src/signing-keys/ring.ts'
import { SECRET } from '../test/server.ts'
import { ask, persist, told } from '../torture/http.ts'
import type { Run } from '../torture/run.ts'
import { AUDIENCE, type Fleet, startServers } from '../torture/servers.ts'
import { type Front, startFront } from './front.ts'
import { type Verifier, verifiersOf } from './verifiers.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
/** As short as the servers allow, so that several rotations fit into the drill. */
const PERIOD = 5 * MINUTE
const SETTINGS = { SEALWAX_KEY_PERIOD: '5m', SEALWAX_ACCESS_TTL: '60s' }
const CLIENTS = 40
/** Scheduled at 2, 12 and 17 minutes. One more key takes over in the emergency. */
const ROTATIONS = 3

/**
 * The minutes after which a key is revoked and the drill ends. Three scheduled rotations take place
 * before the end.
 */
export interface Timing {
  readonly emergency: number
  readonly end: number
}

/**
 * Runs three servers on one database behind one address, users who refresh, and other services that
 * verify their tokens with caches of their own, while keys rotate on schedule and one is revoked
 * with the command. No valid token may be refused. Tokens that a thief signs with a removed key
 * must be refused once the caches of the verifiers have expired.
 */
export async function drill(run: Run, databaseUrl: string, timing: Timing): Promise<void> {
  await using front = await startFront()
  await ageInstallation(front.url, databaseUrl)
  const settings = { ...SETTINGS, SEALWAX_ISSUER: front.url }
  await using fleet = await startServers(3, { databaseUrl, program: 'embedding', settings })
  front.serve(fleet.urls)
  const verifiers = verifiersOf(front.url)
  const house: House = {
    ...{ run, front, fleet, databaseUrl, verifiers, until: performance.now() + timing.end * MINUTE },
    ...{ gone: new Map(), stolen: await stealKeys(databaseUrl), signed: new Set() },
  }
  await Promise.all([
    ...Array.from({ length: CLIENTS }, (_, index) => user(house, `user-${index}`)),
    ...verifiers.map((verifier) => thief(house, verifier)),
    watchKeys(house),
    emergency(house, timing.emergency * MINUTE),
  ])
  await Promise.all(verifiers.map((verifier) => verifier.close()))
  const rotations = house.signed.size - 1
  run.count('keys that took over', rotations)
  run.check(rotations > ROTATIONS, `only ${rotations} keys took over`)
}

interface House {
  readonly run: Run
  readonly front: Front
  readonly fleet: Fleet
  readonly databaseUrl: string
  readonly verifiers: readonly Verifier[]
  /** On the clock of `performance.now`, like all times here. */
  readonly until: number
  /** Keys that have left the JWK Set, with the time and the reason. */
  readonly gone: Map<string, { readonly at: number; readonly how: 'retired' | 'revoked' }>
  /** The keys of the thief: every private key that existed at the start. */
  readonly stolen: readonly SigningKey[]
  /** Keys that signed a token of a user. */
  readonly signed: Set<string>
}

/**
 * Simulates two hours of a new installation, so that it has keys in every state, known for as long
 * as necessary. The next key takes over in two minutes.
 */
async function ageInstallation(issuer: string, databaseUrl: string): Promise<void> {
  for (let ago = 124 * MINUTE; ago > 0; ago -= PERIOD) {
    const now = () => Date.now() - ago
    const options = { issuer, audience: AUDIENCE, secret: SECRET, accessTtl: '60s', keyPeriod: '5m' } as const
    const auth = await createAuth({ ...options, now, store: await storeOf(databaseUrl) })
    await auth.close()
  }
}

/** Decrypts the private keys, as a thief can who has both the database and the secret. */
async function stealKeys(databaseUrl: string): Promise<SigningKey[]> {
  const store = await storeOf(databaseUrl)
  await store.open({ features, migrate: 'off' })
  const { unwrap } = secretsOf([SECRET], randomBytes)
  const rows = await store.committed.signingKeys.list()
  await store.close()
  return rows.map((row) => {
    const jwk = JSON.parse(unwrap(row.private_jwk, signingKeyPlace(row.kid)).toString()) as PrivateJwk
    return importKey(jwk, { kid: row.kid })
  })
}

/**
 * Refreshes as clients do, some time before the token expires, and presents the token to every
 * verifier.
 */
async function user(house: House, subject: string): Promise<void> {
  const { run, front, fleet, until } = house
  const first = await persist(fleet.urls, '/torture/sessions', { json: { subject, userAgent: 'drill' } })
  if (first === 'lost' || first.status !== 200) return run.check(false, `${subject}: no session, ${told(first)}`)
  let { refresh_token, access_token } = first.body
  while (performance.now() < until) {
    const { kid } = unsafeDecode(access_token).header
    house.signed.add(kid ?? '')
    const issued = performance.now()
    const life = (20 + 20 * run.random.next()) * SECOND
    while (performance.now() < Math.min(issued + life, until)) {
      if (!(await usable(house, access_token, kid ?? ''))) break
      await delay(500 + 500 * run.random.next())
    }
    const reply = await persist([front.url], '/refresh', { json: { refresh_token }, userAgent: 'drill' })
    const renewed = reply !== 'lost' && reply.status === 200
    run.check(renewed, `${subject}: a refresh got ${told(reply)}`)
    if (!renewed) return
    run.count('refreshes')
    ;({ refresh_token, access_token } = reply.body)
  }
}

/**
 * Presents a token to every verifier. Returns false if the token is stale, so that its client
 * refreshes.
 */
async function usable(house: House, token: string, kid: string): Promise<boolean> {
  const { run, verifiers, gone } = house
  let stale = false
  for (const verifier of verifiers) {
    const refusal = await verifier.refusalOf(token)
    run.count(`tokens of users presented to ${verifier.name}`)
    if (refusal === undefined) continue
    // Only a token of a revoked key may be refused.
    const revoked = gone.get(kid)?.how === 'revoked'
    if (revoked) {
      stale = true
      run.count(`tokens of the revoked key refused by ${verifier.name}`)
    }
    run.check(revoked, `${verifier.name} refused a good token of ${kid}: ${refusal}`)
    const wrong = verifier.name === '@sealwax/guard' && revoked && refusal !== 'token_stale'
    run.check(!wrong, `the guard returned ${refusal} for a revoked key, so clients would not refresh`)
  }
  return !stale
}

/**
 * Presents tokens signed with every stolen key to one verifier, every `thiefEvery` milliseconds.
 */
async function thief(house: House, verifier: Verifier): Promise<void> {
  const { run, front, gone, stolen, until } = house
  const forgiven = new Map<string, number>()
  while (performance.now() < until) {
    for (const key of stolen) {
      const options = { issuer: front.url, audience: AUDIENCE, typ: 'at+jwt', expiresIn: '1h' } as const
      const token = sign({ sub: 'user-1', client_id: 'sealwax', sid: 'forged' }, key, options)
      const asked = performance.now()
      const left = gone.get(key.kid)
      const late = left !== undefined && asked > left.at + verifier.keeps[left.how]
      const refusal = await verifier.refusalOf(token)
      run.count(`forged tokens presented to ${verifier.name}`)
      if (left === undefined) continue
      const what = `forged tokens of a ${left.how} key`
      if (late) run.count(`${what} presented to ${verifier.name} after its cache expired`)
      if (refusal !== undefined) continue
      const times = forgiven.get(key.kid) ?? 0
      if (!late) run.count(`${what} accepted by ${verifier.name} within its cache time`)
      else if (times < verifier.forgives) {
        forgiven.set(key.kid, times + 1)
        run.count(`${what} accepted by ${verifier.name} after its cache expired, as it does once`)
      } else {
        const seconds = Math.round((asked - left.at) / SECOND)
        run.check(false, `${verifier.name} accepted a ${left.how} key ${seconds} s after it was removed`)
      }
    }
    await delay(Math.max(0, Math.min(verifier.thiefEvery, until - performance.now())))
  }
}

/**
 * Records when a key has left the JWK Sets of all servers. No set may have a private member, and
 * every stolen key must have been published.
 */
async function watchKeys({ run, fleet, gone, stolen, until }: House): Promise<void> {
  const listed = new Set<string>()
  while (performance.now() < until) {
    const sets = await Promise.all(fleet.urls.map((url) => fetch(`${url}/.well-known/jwks.json`).then(readSet)))
    const everywhere = new Set(sets.flat().map(({ kid }) => kid))
    for (const key of sets.flat()) run.check(!('d' in key), 'the JWK Set has a private member')
    for (const kid of everywhere) listed.add(kid)
    for (const kid of listed) {
      if (everywhere.has(kid) || gone.has(kid)) continue
      gone.set(kid, { at: performance.now(), how: 'retired' })
      run.count('keys retired')
    }
    run.count('readings of the JWK Set', sets.length)
    for (const { kid } of stolen) if (!listed.has(kid) && !gone.has(kid)) run.check(false, `${kid} was never published`)
    await delay(SECOND)
  }
}

async function readSet(reply: Response): Promise<{ kid: string }[]> {
  return ((await reply.json()) as { keys: { kid: string }[] }).keys
}

/** Revokes the signing key with the command, as an operator does. */
async function emergency(house: House, after: number): Promise<void> {
  const { run, front, fleet, databaseUrl, gone } = house
  await delay(after)
  const probe = await ask(`${fleet.urls[0]}/torture/sessions`, { json: { subject: 'probe', userAgent: 'drill' } })
  if (probe === 'lost' || probe.status !== 200)
    return run.check(false, `no session to find the signing key with: ${told(probe)}`)
  const { kid = '' } = unsafeDecode(probe.body.access_token).header
  const env = {
    ...{ PATH: process.env.PATH ?? '', SEALWAX_ISSUER: front.url, SEALWAX_AUDIENCE: AUDIENCE, ...SETTINGS },
    ...{ SEALWAX_SECRET: SECRET, SEALWAX_DATABASE_URL: databaseUrl },
  }
  const bin = join(import.meta.dirname, '../bin/sealwax.js')
  const command = [bin, 'keys', 'revoke', kid, '--now']
  // From here on refusals are expected. Acceptance is measured from when the command has returned.
  gone.set(kid, { at: Number.POSITIVE_INFINITY, how: 'revoked' })
  const { stdout } = await promisify(execFile)(process.execPath, command, { env })
  gone.set(kid, { at: performance.now(), how: 'revoked' })
  run.check(stdout.includes(kid), 'the command did not print the key that it revoked')
  run.count('keys revoked')
}
