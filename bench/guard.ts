import { randomBytes } from 'node:crypto'
import { createGuard, createRevocationList } from '@sealwax/guard'
import { createVerifier } from 'fast-jwt'
import { startChild } from './child.ts'
import type { Run } from './main.ts'
import { type Contestant, compare, FULL, type Measured, microseconds, QUICK } from './measure.ts'
import { bounded, formatted, known, type Part, type Row } from './report.ts'
import { AUDIENCE, ISSUER, makeKey, tokenPool } from './tokens.ts'
import { weightRows } from './weight.ts'

const POOL = 100

/** What a guard costs: a cache hit, refusing garbage, memory, import time and size. */
export async function guardPart({ quick }: Run): Promise<Part> {
  const rows = [
    ...(await hitRows(quick)),
    ...(await garbageRows('HS256', quick)),
    ...(await garbageRows('ES256', quick)),
    ...(await memoryRows()),
  ]
  const weight = await weightRows(quick)
  const notes = [
    `A hit: ${POOL} tokens in turns, each time in a new string decoded from bytes. Time, key, 1,000 live revocations and a scope are checked. fast-jwt has its cache, and checks issuer, audience and time.`,
    'Garbage: 8,192 characters of random base64url. Uncached: cacheSize 0.',
    ...weight.notes,
  ]
  return { rows: [...rows, ...weight.rows], notes }
}

type Make<T> = (authorization: string) => T

/** Requests whose strings are replaced by new ones on each `renew`. */
function requests<T>(tokens: readonly string[], make: Make<T>) {
  const octets = tokens.map((token) => Buffer.from(`Bearer ${token}`))
  const many = 4096
  let made: T[] = []
  const renew = () => {
    made = Array.from({ length: many }, (_, index) =>
      make((octets[index % octets.length] as Buffer).toString('latin1')),
    )
  }
  renew()
  return { renew, at: (index: number) => made[index % many] as T }
}

const plain = (authorization: string) => ({ headers: { authorization } })

/** A small request as Node parses it. */
function incoming(authorization: string) {
  const headers = { host: 'localhost', connection: 'keep-alive', accept: '*/*', 'user-agent': 'bench', authorization }
  const names = ['Host', 'Connection', 'Accept', 'User-Agent', 'Authorization']
  const rawHeaders = Object.values(headers).flatMap((value, index) => [names[index] as string, value])
  return { method: 'GET', url: '/orders/1', headers, rawHeaders }
}

async function hitRows(quick: boolean): Promise<Row[]> {
  const key = makeKey('HS256')
  const pool = tokenPool(key.ours, POOL)
  const tokens = Array.from({ length: POOL }, (_, index) => pool.at(index))
  const revocation = createRevocationList()
  const until = Math.floor(Date.now() / 1000) + 3600
  for (let i = 0; i < 1000; i++) revocation.add({ kind: 'sid', sid: randomBytes(16).toString('base64url'), until })
  const guard = createGuard({ issuer: ISSUER, audience: AUDIENCE, keys: key.oursPublic, revocation })
  const requirement = { scope: 'orders' }
  const peer = createVerifier({
    ...{ key: key.secret as Buffer, algorithms: ['HS256'], cache: 1000 },
    ...{ allowedIss: ISSUER, allowedAud: AUDIENCE },
  })
  const simple = requests(tokens, plain)
  const node = requests(tokens, incoming)
  const run = (index: number) => guard.authenticate(node.at(index), requirement)
  const contestants: Contestant[] = [
    { name: 'node', prepare: node.renew, run },
    { name: 'plain', prepare: simple.renew, run: (index) => guard.authenticate(simple.at(index), requirement) },
    { name: 'fast-jwt', prepare: simple.renew, run: (index) => peer(simple.at(index).headers.authorization.slice(7)) },
    { name: 'again', prepare: node.renew, run },
  ]
  const measured = await compare(contestants, POOL, quick ? QUICK : FULL)
  const [hit, cached] = [microseconds(measured, 'node'), microseconds(measured, 'fast-jwt')]
  const beside = `A/A ${formatted(microseconds(measured, 'again') / hit)}; only headers ${formatted(microseconds(measured, 'plain'))} µs`
  return [
    bounded('authenticate on a cache hit', hit, 'µs', '≤', 2.5, beside),
    bounded('time of fast-jwt with its cache ÷ ours', cached / hit, '×', '≥', 3, `fast-jwt ${formatted(cached)} µs`),
  ]
}

/** Refusing garbage must cost less than accepting a token. */
async function garbageRows(alg: 'HS256' | 'ES256', quick: boolean): Promise<Row[]> {
  const key = makeKey(alg)
  const pool = tokenPool(key.ours, POOL)
  const [header = '', , signature = ''] = pool.at(0).split('.')
  const guard = createGuard({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: key.oursPublic,
    revocation: null,
    cacheSize: 0,
  })
  const random = (length: number) => randomBytes(length).toString('base64url').slice(0, length)
  const many = (make: () => string) => Array.from({ length: 64 }, make)
  const good = requests(
    Array.from({ length: POOL }, (_, index) => pool.at(index)),
    incoming,
  )
  const kinds = {
    'without dots': many(() => random(8192)),
    'in three segments': many(() => [random(2730), random(2730), random(2730)].join('.')),
    'behind a good header': many(() => [header, random(8190 - header.length - signature.length), signature].join('.')),
    'behind a good header and a brace': many(() =>
      [header, `eyJ${random(8187 - header.length - signature.length)}`, signature].join('.'),
    ),
  }
  const contestants: Contestant[] = [
    { name: 'good', prepare: good.renew, run: (index) => guard.authenticate(good.at(index)) },
    ...Object.entries(kinds).map(([name, tokens]): Contestant => {
      const bad = requests(tokens, incoming)
      return { name, prepare: bad.renew, run: (index) => refused(() => guard.authenticate(bad.at(index))) }
    }),
  ]
  return garbageVerdicts(alg, Object.keys(kinds), await compare(contestants, POOL, quick ? QUICK : FULL))
}

function garbageVerdicts(alg: string, kinds: readonly string[], measured: readonly Measured[]): Row[] {
  const good = microseconds(measured, 'good')
  return kinds.map((kind) => {
    const bad = microseconds(measured, kind)
    const beside = `${formatted(bad)} µs, a good token ${formatted(good)} µs`
    const name = `refusing 8 KiB of garbage ${kind} ÷ accepting, ${alg} uncached`
    // The last kind is not random: its author knows a valid header. It must be hashed before it can
    // be refused, so it has no target.
    return kind.endsWith('a brace')
      ? known(name, bad / good, '×', beside)
      : bounded(name, bad / good, '×', '<', 1, beside)
  })
}

function refused(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('garbage was accepted')
}

async function memoryRows(): Promise<Row[]> {
  const child = await startChild('guard-memory.ts', { flags: ['--expose-gc'] })
  try {
    const ask = (tokens: number, padding: number) =>
      child.ask<{ bytes: number; length: number }>({ do: 'cacheMemory', tokens, padding })
    const full = await ask(2000, 0)
    const thrice = await ask(6000, 0)
    const long = await ask(4000, 4500)
    return [
      known(
        'memory of a full cache (2,000 entries)',
        full.bytes / 2 ** 20,
        'MiB',
        `tokens of ${full.length} characters`,
      ),
      bounded('the same after three times as many tokens ÷ full', thrice.bytes / full.bytes, '×', '<', 1.1),
      known(
        'memory of the cache after 4,000 long tokens',
        long.bytes / 2 ** 20,
        'MiB',
        `tokens of ${long.length} characters`,
      ),
    ]
  } finally {
    await child.stop()
  }
}
