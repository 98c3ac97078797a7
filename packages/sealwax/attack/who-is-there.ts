import { setTimeout as delay } from 'node:timers/promises'
import { type Call, HOUR, PASSWORD, type Reply } from '../test/server.ts'
import { type Attack, atMost, exactly, type Result } from './attack.ts'
import { type Embedded, OWNER, startEmbedded, WRONG } from './embedded.ts'

const ROUNDS = 500
/** How far medians may be apart. */
const PERCENT = 5
/** Medians of fewer samples say nothing. */
const FEWEST_TIMES = 100
/** After this time no attempt counts any more. */
const FORGOTTEN_MS = 13 * HOUR
/** Time for the mail that a request may have caused, so that it delays no other request. */
const PAUSE_MS = 20

/** Requests that must not tell who has an account. */
interface Probe {
  readonly path: string
  /** Request bodies by what they ask about. */
  readonly bodies: Readonly<Record<string, object>>
  /** Whether the owner is logged in. */
  readonly loggedIn?: boolean
}

const [KNOWN, FREE, NEW] = ['known@example.com', 'nobody@example.com', 'someone@example.com']
const [UNVERIFIED, PENDING, DISABLED] = ['unverified@example.com', 'pending@example.com', 'disabled@example.com']

const PROBES: readonly Probe[] = [
  {
    path: '/login',
    bodies: {
      known: { email: KNOWN, password: WRONG },
      unknown: { email: FREE, password: WRONG },
      unverified: { email: UNVERIFIED, password: PASSWORD },
      pending: { email: PENDING, password: PASSWORD },
      disabled: { email: DISABLED, password: WRONG },
    },
  },
  {
    path: '/register',
    bodies: { taken: { email: KNOWN, password: PASSWORD }, new: { email: NEW, password: PASSWORD } },
  },
  ...['/password/forgot', '/email/verification'].map((path) => ({
    path,
    bodies: {
      known: { email: KNOWN },
      unknown: { email: FREE },
      unverified: { email: UNVERIFIED },
      disabled: { email: DISABLED },
    },
  })),
  { path: '/email', loggedIn: true, bodies: { taken: { email: KNOWN }, free: { email: FREE } } },
]

/** What an observer has of one kind of request. */
interface Seen {
  readonly replies: Set<string>
  readonly times: number[]
}

/** Compares replies and their times for addresses with and without an account. */
export const whoIsThere: Attack = {
  name: 'who-is-there',
  description: 'asks about addresses with and without an account, 500 times each, and compares replies and times',
  async run(place, store, scale) {
    await using server = await startEmbedded(place, store, { registration: 'verified' })
    const { id: owner } = (await server.auth.users.find(OWNER)) ?? { id: '' }
    await server.auth.users.create({ email: KNOWN, password: PASSWORD })
    await server.auth.users.create({ email: UNVERIFIED, password: PASSWORD, emailVerified: false })
    const disabled = await server.auth.users.create({ email: DISABLED, password: PASSWORD })
    await server.auth.users.disable(disabled.id)
    await server.call('10.255.0.7', '/register', { json: { email: PENDING, password: PASSWORD } })
    const seen = PROBES.map(({ bodies }) => new Map(Object.keys(bodies).map((kind) => [kind, nothing()])))
    const rounds = Math.max(10, Math.round(ROUNDS * scale))
    let sent = 0
    for (let round = 0; round < rounds; round += 1) {
      const { access_token: token } = await server.auth.sessions.create({ subject: owner })
      for (const [at, { path, bodies, loggedIn }] of PROBES.entries()) {
        for (const [kind, json] of shuffled(Object.entries(bodies))) {
          sent += 1
          const ip = `10.${sent >> 8}.${sent & 255}.7`
          const { reply, took } = await timed(server, ip, path, { json, ...(loggedIn && { token }) })
          seen[at]?.get(kind)?.replies.add(described(reply))
          seen[at]?.get(kind)?.times.push(took)
          await delay(PAUSE_MS)
        }
      }
      server.clock.advance(FORGOTTEN_MS)
    }
    return PROBES.flatMap(({ path }, at) => judged(path, seen[at] ?? new Map(), rounds >= FEWEST_TIMES))
  },
}

function nothing(): Seen {
  return { replies: new Set(), times: [] }
}

/** A random order, so that no kind always follows one that causes a mail. */
function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)
}

async function timed(server: Embedded, ip: string, path: string, request: Call) {
  const started = performance.now()
  const reply = await server.call(ip, path, request)
  return { reply, took: performance.now() - started }
}

/** Everything in a reply but the request id and the time. */
function described({ status, headers, text, body }: Reply): string {
  const kept = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
  return JSON.stringify([status, kept, text.replaceAll(body.request_id ?? '-', 'ID')])
}

function judged(path: string, seen: ReadonlyMap<string, Seen>, compareTimes: boolean): Result[] {
  const replies = new Set([...seen.values()].flatMap((one) => [...one.replies]))
  const kinds = [...seen.keys()].join(', ')
  const [first = ''] = replies
  const same = exactly(`POST ${path}: different replies`, replies.size, 1)
  const expected = exactly(`POST ${path}: status`, JSON.parse(first)[0], path === '/login' ? 401 : 202)
  if (!compareTimes) return [same, expected]
  const medians = [...seen.values()].map(({ times }) => median(times))
  const [least, most] = [Math.min(...medians), Math.max(...medians)]
  const spelled = medians.map((value) => value.toFixed(2)).join(', ')
  const apart = Math.round((most / least - 1) * 1000) / 10
  return [same, expected, atMost(`medians (${kinds}: ${spelled} ms)`, apart, PERCENT, ' %')]
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
