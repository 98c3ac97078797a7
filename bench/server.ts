import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild } from './child.ts'
import { PASSWORD } from './installation.ts'
import type { LoadResult, StormResult } from './load.ts'
import type { Run } from './main.ts'
import { median } from './measure.ts'
import { bounded, formatted, known, type Part, type Row } from './report.ts'
import { type Served, served } from './sealwax-serve.ts'
import type { About } from './server-peer.ts'

const MOST_CLIENTS = 128
/** Clients in the comparisons with other servers. */
const CLIENTS = 32
/** Fewer than the log-ins that the server releases together when there is a queue. */
const FEW_LOGINS = 8

interface Server {
  readonly child: Child
  readonly about: About
}

/**
 * Our server over HTTP on SQLite, compared with Better Auth and with a route that only signs. Each
 * runs on core 0, the load generator on core 1.
 */
export async function serverPart({ quick }: Run): Promise<Part> {
  const directory = mkdtempSync(join(import.meta.dirname, '.data-'))
  const children: Child[] = []
  const start = async (file: string, core: number, args: readonly string[] = []) => {
    const child = await startChild(file, { core, args })
    children.push(child)
    return child
  }
  const serverOf = async (name: string): Promise<Server> => {
    const child = await start('server-peer.ts', 0, [name, directory, String(MOST_CLIENTS)])
    return { child, about: await child.ask<About>({ do: 'about' }) }
  }
  let alone: Served | undefined
  try {
    const bench: Bench = {
      ...{ load: await start('load.ts', 1), quick, directory },
      ...{ ours: await serverOf('sealwax'), better: await serverOf('better-auth'), bare: await serverOf('bare') },
    }
    const rows = [...(await refreshRows(bench)), ...(await groupCommitRows(bench))]
    // Not started earlier, because it reads what the other server writes.
    alone = await served(directory)
    rows.push(...(await loginRows(bench, alone)), ...(await stormRows(bench, alone)))
    return { rows, notes: NOTES }
  } finally {
    await alone?.stop()
    await Promise.all(children.map((child) => child.stop()))
    rmSync(directory, { recursive: true })
  }
}

const NOTES = [
  'Each server is one process bound to core 0, with all its threads; the load generator is bound to core 1 and keeps its connections open. SQLite with WAL and synchronous=FULL, on disk.',
  `Refresh: ${CLIENTS} clients (unless stated otherwise) with a session each, and a refresh window of 0 seconds. Every refresh rotates, is written and waits for its commit, and the next one sends the token of the response. A refresh that does not rotate ends the run.`,
  'Better Auth: GET /token of the jwt plugin with a session cookie, ES256, rate limit off, node:sqlite. It reads and signs, and writes nothing.',
  'Bare: a POST route of Hono on @hono/node-server that only signs one ES256 token with @sealwax/jwt. For log-ins it first checks a password with argon2id, one at a time for each core like ours, and uses no database.',
  'Ours and the bare one use Hono’s lighter Request and Response instead of the global ones: the default of Hono on Node, and what docs/embedding.md describes for a process that is only an auth server.',
  'There is no session limit: a few users log in thousands of times, and with the default of 100 most log-ins would also end a session.',
  'Log-ins: against the embedding server (`createAuth`, all threads with one priority, no log) and against `sealwax serve` (with its log). Each round runs between two rounds of argon2id alone, in the process of the embedding server on the same core; the ratio is to their mean. The bare route is compared with the round before it.',
  'Storm: alternately against `sealwax serve` and the embedding server, after both have served log-ins for a while. All connections are open before a storm starts, because Node accepts one new connection in each turn of its event loop, in order of arrival. The first storm of a process that has just started, and has only handled the requests that it sends itself before it listens, is reported separately.',
]

interface Bench {
  readonly load: Child
  readonly ours: Server
  readonly better: Server
  readonly bare: Server
  readonly quick: boolean
  readonly directory: string
}

interface Rate extends LoadResult {
  readonly perSecond: number
  /** Processor time of the server per request, in microseconds. */
  readonly cost: number
}

async function drive(load: Child, { child, about }: Server, options: object): Promise<Rate> {
  const before = await child.ask<number>({ do: 'time' })
  const result = await load.ask<LoadResult>({ do: 'load', port: about.port, ...options })
  const after = await child.ask<number>({ do: 'time' })
  return { ...result, perSecond: result.requests / result.seconds, cost: (after - before) / result.requests }
}

/** The current refresh tokens. Each load replaces them. */
const tokens = new Map<Server, string[]>()

async function refreshes({ load, ours }: Bench, clients: number, milliseconds: number): Promise<Rate> {
  const all = tokens.get(ours) ?? [...ours.about.clients]
  tokens.set(ours, all)
  const rate = await drive(load, ours, { kind: 'refresh', milliseconds, each: all.slice(0, clients) })
  all.splice(0, clients, ...rate.tokens)
  return rate
}

async function refreshRows(bench: Bench): Promise<Row[]> {
  const { load, better, bare, quick } = bench
  const [rounds, milliseconds] = quick ? [2, 1000] : [8, 3000]
  const request = { kind: 'request', milliseconds, expected: 'token' }
  const minting = () =>
    drive(load, better, { ...request, path: '/api/auth/token', each: better.about.clients.slice(0, CLIENTS) })
  const signing = () =>
    drive(load, bare, { ...request, method: 'POST', path: '/sign', each: bare.about.clients.slice(0, CLIENTS) })
  const found = { ours: [] as Rate[], again: [] as Rate[], better: [] as Rate[], bare: [] as Rate[] }
  for (let round = -1; round < rounds; round++) {
    const turn = { ours: await refreshes(bench, CLIENTS, milliseconds), better: await minting(), bare: await signing() }
    const again = await refreshes(bench, CLIENTS, milliseconds)
    // Round -1 is the warm-up.
    if (round < 0) continue
    found.ours.push(turn.ours)
    found.better.push(turn.better)
    found.bare.push(turn.bare)
    found.again.push(again)
  }
  const rate = (rates: readonly Rate[]) => median(rates.map(({ perSecond }) => perSecond))
  const cost = (rates: readonly Rate[]) =>
    `${formatted(median(rates.map((one) => one.cost)))} µs of processor time each`
  const ratio = (others: readonly Rate[]) =>
    median(found.ours.map((one, i) => one.perSecond / (others[i]?.perSecond ?? Number.NaN)))
  const busiest = Math.max(...Object.values(found).flatMap((rates) => rates.map(({ busy }) => busy)))
  const twins = `A/A ${formatted(ratio(found.again))}; the load generator was busy at most ${formatted(busiest * 100)} %`
  return [
    known('refreshes per second', rate(found.ours), '/s', cost(found.ours)),
    known('Better Auth: tokens minted per second', rate(found.better), '/s', cost(found.better)),
    known('bare route that signs: requests per second', rate(found.bare), '/s', cost(found.bare)),
    bounded('refreshes ÷ tokens minted by Better Auth', ratio(found.better), '×', '≥', 8, twins),
    bounded('refreshes ÷ requests of the bare route', ratio(found.bare), '×', '≥', 0.5, twins),
  ]
}

async function groupCommitRows(bench: Bench): Promise<Row[]> {
  const [rounds, milliseconds] = bench.quick ? [1, 1000] : [5, 2000]
  const counts = [1, 8, 32, MOST_CLIENTS]
  const found = new Map<number, Rate[]>(counts.map((count) => [count, []]))
  for (let round = 0; round < rounds; round++) {
    for (const count of counts) found.get(count)?.push(await refreshes(bench, count, milliseconds))
  }
  const rateOf = (count: number) => median((found.get(count) ?? []).map(({ perSecond }) => perSecond))
  const rows = counts.map((count) => {
    const p50 = median((found.get(count) ?? []).map((rate) => rate.p50))
    const p99 = median((found.get(count) ?? []).map((rate) => rate.p99))
    return known(
      `refreshes per second, ${count} at once`,
      rateOf(count),
      '/s',
      `p50 ${formatted(p50)} ms, p99 ${formatted(p99)} ms`,
    )
  })
  return [
    ...rows,
    bounded('group commit: 32 at once ÷ 1 at once', rateOf(32) / rateOf(1), '×', '>', 1.2),
    await refreshesPerSync(bench),
  ]
}

/** Counts the fsyncs of the server under load, if strace is installed and allowed to trace. */
async function refreshesPerSync(bench: Bench): Promise<Row> {
  const name = `refreshes per fsync, ${MOST_CLIENTS} at once`
  const summary = join(bench.directory, 'strace')
  const flags = ['-f', '-c', '-U', 'calls,name', '-e', 'trace=fsync,fdatasync', '-o', summary]
  const strace = spawn('strace', [...flags, '-p', String(bench.ours.child.pid)], { stdio: 'ignore' })
  const ended = once(strace, 'exit').catch((error: unknown) => [error])
  await new Promise((resolve) => setTimeout(resolve, 500))
  const { requests } = await refreshes(bench, MOST_CLIENTS, 1000)
  strace.kill('SIGINT')
  await ended
  try {
    const calls = [...readFileSync(summary, 'utf8').matchAll(/^\s*(\d+)\s+(?:fsync|fdatasync)\b/gm)]
    const syncs = calls.reduce((sum, [, count]) => sum + Number(count), 0)
    if (syncs > 0) return known(name, requests / syncs, '', `${requests} refreshes, ${syncs} fsyncs`)
  } catch {
    // Without a summary there is nothing to count.
  }
  return known(name, Number.NaN, '', 'not measured: strace is absent or not allowed')
}

/**
 * Each load of log-ins runs between two measurements of argon2id alone, so that both are affected
 * if the machine slows down.
 */
async function loginRows(bench: Bench, { port }: Served): Promise<Row[]> {
  const { load, ours, bare, quick } = bench
  const [rounds, milliseconds] = quick ? [2, 1000] : [10, 2000]
  const emails = Array.from({ length: CLIENTS }, (_, index) => ours.about.emails[index % ours.about.emails.length])
  const logins = { kind: 'login', milliseconds, password: PASSWORD }
  const floor = { kind: 'request', milliseconds, method: 'POST', path: '/login', expected: 'token' }
  const alone = () => ours.child.ask<number>({ do: 'argon2', milliseconds })
  const found = { many: [] as Paced[], few: [] as Paced[], served: [] as Paced[], floor: [] as Paced[] }
  const [costs, twins]: [number[], number[]] = [[], []]
  for (let round = -1; round < rounds; round++) {
    const first = await alone()
    const many = await drive(load, ours, { ...logins, each: emails })
    const second = await alone()
    const few = await drive(load, ours, { ...logins, each: emails.slice(0, FEW_LOGINS) })
    const third = await alone()
    const serving = await load.ask<LoadResult>({ do: 'load', port, ...logins, each: emails })
    const fourth = await alone()
    const least = await drive(load, bare, { ...floor, each: bare.about.clients.slice(0, CLIENTS) })
    if (round < 0) continue
    found.many.push({ perSecond: many.perSecond, alone: (first + second) / 2 })
    found.few.push({ perSecond: few.perSecond, alone: (second + third) / 2 })
    found.served.push({ perSecond: serving.requests / serving.seconds, alone: (third + fourth) / 2 })
    found.floor.push({ perSecond: least.perSecond, alone: fourth })
    costs.push(many.cost)
    twins.push(first / second)
  }
  const of = (rates: readonly Paced[]) => {
    const ratios = rates.map(({ perSecond, alone }) => perSecond / alone)
    const spread = `${formatted(Math.min(...ratios))} to ${formatted(Math.max(...ratios))}`
    const [both, own] = [rates.map((rate) => rate.alone), rates.map((rate) => rate.perSecond)]
    const beside = `argon2id alone ${formatted(median(both))} /s, these ${formatted(median(own))} /s; ${spread}`
    return { ratio: median(ratios), beside }
  }
  const [many, few, serving, least] = [of(found.many), of(found.few), of(found.served), of(found.floor)]
  const name = (count: number) => `logins ÷ what argon2id alone allows, ${count} at once`
  return [
    bounded(name(CLIENTS), many.ratio, '×', '≥', 0.9, `${many.beside}; A/A ${formatted(median(twins))}`),
    bounded(name(FEW_LOGINS), few.ratio, '×', '≥', 0.9, few.beside),
    bounded(`sealwax serve: ${name(CLIENTS)}`, serving.ratio, '×', '≥', 0.9, serving.beside),
    known(`processor time of a login, ${CLIENTS} at once`, median(costs) / 1000, 'ms', 'argon2id and everything else'),
    known(
      `bare route that checks a password and signs ÷ what argon2id alone allows, ${CLIENTS} at once`,
      least.ratio,
      '×',
      least.beside,
    ),
  ]
}

interface Paced {
  readonly perSecond: number
  /** The rate of argon2id alone, measured directly before and after. */
  readonly alone: number
}

async function stormRows({ load, ours, quick, directory }: Bench, { port }: Served): Promise<Row[]> {
  const { emails, accessToken } = ours.about
  const storm = (at: number) =>
    load.ask<StormResult>({ do: 'storm', port: at, logins: LOGINS, emails, password: PASSWORD, accessToken })
  const storms = { served: [] as StormResult[], embedded: [] as StormResult[], first: [] as StormResult[] }
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    storms.served.push(await storm(port))
    storms.embedded.push(await storm(ours.about.port))
  }
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    const fresh = await served(directory)
    storms.first.push(await storm(fresh.port).finally(fresh.stop))
  }
  const all = Object.values(storms).flat()
  const answered = (status: number | string) => all.map(({ statuses }) => statuses[Number(status)] ?? 0)
  const others = all.length * LOGINS - sum(answered(200)) - sum(answered(503))
  const statuses = Object.keys(Object.assign({}, ...all.map((one) => one.statuses)))
  const counts = statuses.map((status) => `${sum(answered(status))} × ${status}`).join(', ')
  const told = `in ${all.length} storms ${counts}; at least ${Math.min(...answered(200))} × 200 in each`
  const name = '/me while 1,000 log-ins arrive at once: p99'
  const [serving, embedded, first] = [worstOf(storms.served), worstOf(storms.embedded), worstOf(storms.first)]
  return [
    bounded(`sealwax serve: ${name}`, serving.p99, 'ms', '<', 50, serving.beside),
    bounded(`sealwax serve, just started: ${name}`, first.p99, 'ms', '<', 50, first.beside),
    known(`embedding server: ${name}`, embedded.p99, 'ms', embedded.beside),
    bounded('log-ins answered with neither 200 nor 503', others, '', '≤', 0, told),
  ]
}

const LOGINS = 1000

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** The worst p99 of several storms, and the figures of all of them. */
function worstOf(storms: readonly StormResult[]): { p99: number; beside: string } {
  const each = storms.map(({ p99 }) => formatted(p99)).join(', ')
  const worst = (of: (storm: StormResult) => number) => formatted(Math.max(...storms.map(of)))
  const beside = `of the storms ${each}; worst p50 ${worst(({ p50 }) => p50)} ms, longest ${worst(({ longest }) => longest)} ms; p99 without the correction for waiting probes ${worst(({ uncorrected }) => uncorrected)} ms`
  return { p99: Math.max(...storms.map(({ p99 }) => p99)), beside }
}
