import { type Algorithm, sign, verify } from '@sealwax/jwt'
import { timeAround } from './around.ts'
import { type Peer, peersFor, primitivesFor } from './jwt-peers.ts'
import type { Run } from './main.ts'
import { type Contestant, compare, FULL, lastResult, type Measured, microseconds, QUICK, SLOW } from './measure.ts'
import { bounded, formatted, known, type Part, type Row } from './report.ts'
import { AUDIENCE, claimsAt, ISSUER, LIFETIME, makeKey, TYPE, tokenOf, tokenPool } from './tokens.ts'

const ALGORITHMS: readonly Algorithm[] = [
  // Cheap algorithms first, so that shared code is compiled before the ones that take a
  // millisecond.
  ...(['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'EdDSA', 'ES384', 'ES512'] as const),
]
const QUICK_ALGORITHMS: readonly Algorithm[] = ['HS256', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA', 'ES384', 'ES512']

/** Number of different tokens that are used in turn. */
const POOL = 128

const LIMITS = { verify: 4, sign: 3 } as const
const OURS = 'sealwax'
const AGAIN = 'sealwax again'

/**
 * Signing and verifying in one process and in turns, compared with the bare primitive and with
 * peers.
 */
export async function jwtPart({ quick }: Run): Promise<Part> {
  const rows: Row[] = []
  for (const alg of quick ? QUICK_ALGORITHMS : ALGORITHMS) rows.push(...(await algorithmRows(alg, quick)))
  const { length } = tokenOf(makeKey('ES256').ours, 1)
  const notes = [
    `All algorithms sign the same claims, which are made in advance. The ES256 token has ${length} characters. RSA keys have 2048 bits.`,
    'µs: the minimum over all rounds. Around the primitive: our time minus that of the faster of the one-shot and the streaming API of node:crypto on bytes.',
    'Where the primitive takes more than 60 µs, each call is timed by itself, and the minima of all tokens are averaged. Around the primitive is then the time of a call minus that of crypto.sign or crypto.verify inside the same call (the minimum of 400 calls), minus the same difference for a call of the bare primitive.',
    'jose has only an asynchronous API, so each call is awaited. @node-rs has its own cryptography and does not count for the targets.',
  ]
  return { rows, notes }
}

async function algorithmRows(alg: Algorithm, quick: boolean): Promise<Row[]> {
  const key = makeKey(alg)
  const pool = tokenPool(key.ours, POOL)
  const tokens = Array.from({ length: POOL }, (_, index) => pool.at(index))
  const bare = primitivesFor(key, tokens)
  const peers = await peersFor(key)
  const effort = quick ? QUICK : FULL
  const prepare = pool.renew
  const checks = { issuer: ISSUER, audience: AUDIENCE, typ: TYPE }
  const ourVerify = (index: number) => verify(pool.at(index), key.oursPublic, checks)
  const verifying = await compare(
    [
      ...bare.verify,
      { name: OURS, run: ourVerify, prepare },
      ...peers.flatMap((peer) => verifierOf(peer, pool)),
      { name: AGAIN, run: ourVerify, prepare },
    ],
    POOL,
    effort,
  )
  if (lastResult() === undefined) throw new Error('nothing was verified')
  const options = { issuer: ISSUER, audience: AUDIENCE, typ: TYPE, expiresIn: LIFETIME }
  const ourSign = (index: number) => sign(claimsAt(index), key.ours, options)
  const signing = await compare(
    [...bare.sign, { name: OURS, run: ourSign }, ...peers.flatMap(signerOf), { name: AGAIN, run: ourSign }],
    POOL,
    effort,
  )
  return [
    ...rowsOf({ alg, what: 'verify', measured: verifying, bare: bare.verify, peers, ours: ourVerify, quick }),
    ...rowsOf({ alg, what: 'sign', measured: signing, bare: bare.sign, peers, ours: ourSign, quick }),
  ]
}

function verifierOf({ name, verify: run, verifyAsync }: Peer, pool: ReturnType<typeof tokenPool>): Contestant[] {
  const prepare = pool.renew
  if (run !== undefined) return [{ name, prepare, run: (index) => run(pool.at(index)) }]
  return verifyAsync === undefined ? [] : [{ name, prepare, runAsync: (index) => verifyAsync(pool.at(index)) }]
}

function signerOf({ name, sign: run, signAsync }: Peer): Contestant[] {
  if (run !== undefined) return [{ name, run }]
  return signAsync === undefined ? [] : [{ name, runAsync: signAsync }]
}

interface Found {
  readonly alg: Algorithm
  readonly what: 'verify' | 'sign'
  readonly measured: readonly Measured[]
  readonly bare: readonly Contestant[]
  readonly peers: readonly Peer[]
  readonly ours: (index: number) => unknown
  readonly quick: boolean
}

function rowsOf(found: Found): Row[] {
  const { alg, what, measured, peers } = found
  const ours = microseconds(measured, OURS)
  const again = microseconds(measured, AGAIN) / ours
  const times = peers.flatMap(({ name, onNode }) => {
    const one = measured.find((each) => each.name === name)
    return one === undefined ? [] : [{ name, onNode, time: one.least / 1000 }]
  })
  const beside = times.map(({ name, time }) => `${name} ${formatted(time)}`).join(', ')
  const best = times.filter(({ onNode }) => onNode).reduce((a, b) => (b.time < a.time ? b : a))
  const rows: Row[] = [
    known(`${what} ${alg}`, ours, 'µs', `${beside}; A/A ${formatted(again)}`),
    aroundRow(found, ours),
    bounded(`${what} ${alg}: time of the best peer on node:crypto ÷ ours`, best.time / ours, '×', '>', 1, best.name),
  ]
  const fast = times.find(({ name }) => name === 'fast-jwt')
  if (alg === 'HS256' && what === 'verify' && fast !== undefined) {
    rows.push(bounded('verify HS256: time of fast-jwt without its cache ÷ ours', fast.time / ours, '×', '≥', 1.2))
  }
  return rows
}

function aroundRow({ alg, what, measured, bare, ours, quick }: Found, time: number): Row {
  const ways = bare.map(({ name }) => ({ name, time: microseconds(measured, name) }))
  const fastest = ways.reduce((a, b) => (b.time < a.time ? b : a))
  const beside = ways.map((way) => `${way.name} ${formatted(way.time)}`).join(', ')
  const within = fastest.time * 1000 > SLOW ? timeAround(ours, quick ? 100 : 400) : undefined
  const difference = `by difference ${formatted(time - fastest.time)}`
  return bounded(
    `${what} ${alg}: around the primitive`,
    within ?? time - fastest.time,
    'µs',
    '≤',
    LIMITS[what],
    within === undefined ? beside : `${beside}; ${difference}`,
  )
}
