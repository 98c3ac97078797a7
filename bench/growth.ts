import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '../packages/sealwax/test/postgres.ts'
import { type Child, startChild } from './child.ts'
import type { Fill } from './growth-peer.ts'
import { PASSWORD } from './installation.ts'
import type { LoadResult } from './load.ts'
import { type Connection, openConnection } from './load-client.ts'
import type { Run } from './main.ts'
import { quantile } from './measure.ts'
import { bounded, formatted, known, type Part, type Row } from './report.ts'

const CLIENTS = 16
const GUARDS = 50
/** New guards that read all revocations at the same time. */
const NEWCOMERS = 10
const LOGOUTS_PER_SECOND = 100

/** How costs grow with the size of the tables, and what a fleet of guards costs. */
export async function growthPart({ quick }: Run): Promise<Part> {
  const [small, large] = quick ? [1000, 50_000] : [10_000, 1_000_000]
  const rows: Row[] = []
  const directory = mkdtempSync(join(import.meta.dirname, '.data-'))
  try {
    const first = await measureAt(join(directory, 'small.db'), small, { quick })
    const second = await measureAt(join(directory, 'large.db'), large, { quick })
    for (const [index, { name, value, unit, beside }] of second.entries()) {
      const before = first[index]?.value ?? Number.NaN
      const ratio = `${formatted(value / before)} × that of ${small.toLocaleString('en')} (${formatted(before)})`
      rows.push(known(`${name}, ${large.toLocaleString('en')}`, value, unit, beside ? `${ratio}; ${beside}` : ratio))
    }
    rows.push(...(await fleetRows(join(directory, 'fleet.db'), large, quick)))
    rows.push(await endingRow('SQLite', join(directory, 'ending.db'), quick ? 5000 : 100_000))
    const server = await startPostgres()
    try {
      rows.push(await endingRow('Postgres', await server.createDatabase(), quick ? 5000 : 100_000))
    } finally {
      await server.remove()
    }
    return { rows, notes: NOTES }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const NOTES = [
  'The number in a row is that of the users, of the sessions and of the audit rows in SQLite, which are all alike. The server, the load generator and the guards are separate processes on the same two cores.',
  `A fleet: ${GUARDS} guards in two processes follow the feed while sessions log out one after the other, ${LOGOUTS_PER_SECOND} a second.`,
]

interface Site {
  readonly child: Child
  readonly port: number
  readonly load: Child
}

/** Fills a database, starts a server on it and a load generator, and stops both after measuring. */
async function withSite<T>(database: string, fill: Fill, measure: (site: Site) => Promise<T>): Promise<T> {
  const child = await startChild('growth-peer.ts', { args: ['server', database] })
  const load = await startChild('load.ts')
  try {
    await child.ask({ do: 'fill', ...fill })
    return await measure({ child, load, port: await child.ask<number>({ do: 'open' }) })
  } finally {
    await Promise.all([child.stop(), load.stop()])
  }
}

function refreshing({ load, port }: Site, each: readonly string[], milliseconds: number): Promise<LoadResult> {
  return load.ask<LoadResult>({ do: 'load', port, kind: 'refresh', milliseconds, each })
}

async function measureAt(database: string, size: number, { quick }: Run): Promise<Row[]> {
  const fill = { users: size, sessions: size, revocations: 0, events: size }
  return withSite(database, fill, async (site) => {
    const { child, load, port } = site
    const milliseconds = quick ? 1000 : 4000
    const each = await child.ask<string[]>({ do: 'sessions', count: CLIENTS })
    const warm = await refreshing(site, each, milliseconds)
    const refresh = await refreshing(site, warm.tokens, milliseconds)
    const login = await load.ask<LoadResult>({
      ...{ do: 'load', port, kind: 'login', milliseconds, password: PASSWORD, each: ['user@example.com'] },
    })
    const audit = (query: object) => child.ask<number>({ do: 'audit', query })
    return [
      known(`refresh, ${CLIENTS} at once: p50`, refresh.p50, 'ms', `p99 ${formatted(refresh.p99)} ms`),
      known('log-in, one at a time: p50', login.p50, 'ms'),
      known('audit.list', await audit({}), 'ms'),
      known('audit.list of a subject', await audit({ subject: 'u7' }), 'ms'),
      known('audit.list of a rare type', await audit({ type: 'key.revoked' }), 'ms'),
      known('audit.list of a rare type and a subject', await audit({ type: 'key.revoked', subject: 'u7' }), 'ms'),
    ]
  })
}

async function fleetRows(database: string, revocations: number, quick: boolean): Promise<Row[]> {
  const purged = quick ? 2000 : 50_000
  const fill = { users: 1, sessions: purged, revocations, events: 1 }
  return withSite(database, fill, async (site) => {
    const { child, port } = site
    const each = await child.ask<string[]>({ do: 'sessions', count: CLIENTS })
    const { tokens } = await refreshing(site, each, 1000)
    const newcomers = await startGuards(port, NEWCOMERS)
    const [ready, beside] = await Promise.all([
      newcomers.follow(),
      refreshing(site, tokens.slice(0, 4), quick ? 1000 : 5000),
    ])
    const memory = await child.ask<number>({ do: 'memory' })
    await newcomers.stop()
    const name = `a snapshot of ${revocations.toLocaleString('en')} revocations, ${NEWCOMERS} new guards at once`
    const logouts = quick ? 100 : 500
    const alone = await logOutRate(site, logouts)
    const fleet = await startGuards(port, GUARDS)
    await fleet.follow()
    const followed = await logOutRate(site, logouts)
    await fleet.stop()
    return [
      bounded(`${name}: ready after`, ready, 's', '≤', 10),
      bounded(`${name}: refresh p99 meanwhile`, beside.p99, 'ms', '≤', 50, `p50 ${formatted(beside.p50)} ms`),
      bounded(`${name}: memory of the issuer`, memory, 'MiB', '≤', 512),
      bounded(
        `log-outs, ${LOGOUTS_PER_SECOND} a second, p50 with ${GUARDS} guards ÷ without`,
        followed / alone,
        '×',
        '≤',
        1.5,
        `${formatted(followed)} ms, ${formatted(alone)} ms`,
      ),
      await purgeRow(site, tokens.slice(4), purged),
    ]
  })
}

/**
 * Starts guards in two processes, one for each core. Each guard has its own list and connection.
 */
async function startGuards(port: number, count: number) {
  const start = () => startChild('growth-peer.ts', { args: ['guards', String(port), String(count / 2)] })
  const halves = await Promise.all([start(), start()])
  return {
    /** Resolves with the seconds until the last guard has read the whole list. */
    follow: async () => Math.max(...(await Promise.all(halves.map((half) => half.ask<number>({ do: 'follow' }))))),
    stop: () => Promise.all(halves.map((half) => half.stop())),
  }
}

/** Median time from a log-out to its response, in milliseconds. */
async function logOutRate({ child, port }: Site, count: number): Promise<number> {
  const tokens = await child.ask<string[]>({ do: 'sessions', count })
  const connections = await Promise.all(Array.from({ length: 8 }, () => openConnection(port)))
  const latencies: number[] = []
  const began = performance.now()
  let next = 0
  const drive = async (connection: Connection) => {
    for (let at = next++; at < count; at = next++) {
      const due = began + (at * 1000) / LOGOUTS_PER_SECOND
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
      const start = performance.now()
      const { status } = await connection.send('POST', '/logout', '', JSON.stringify({ refresh_token: tokens[at] }))
      if (status !== 204) throw new Error(`a log-out returned ${status}`)
      latencies.push(performance.now() - start)
    }
  }
  await Promise.all(connections.map(drive))
  for (const connection of connections) connection.close()
  return quantile(latencies, 0.5)
}

async function purgeRow(site: Site, tokens: readonly string[], count: number): Promise<Row> {
  const before = await refreshing(site, tokens, 2000)
  await site.child.ask({ do: 'age', count })
  const [seconds, beside] = await Promise.all([
    site.child.ask<number>({ do: 'purge' }),
    refreshing(site, before.tokens, 2000),
  ])
  const told = `${formatted(beside.p50)} ms, ${formatted(before.p50)} ms; the purge took ${formatted(seconds)} s`
  const name = `refresh p50 while ${count.toLocaleString('en')} sessions are purged ÷ before`
  return bounded(name, beside.p50 / before.p50, '×', '≤', 3, told)
}

async function endingRow(name: string, database: string, sessions: number): Promise<Row> {
  const fill = { users: 1, sessions, revocations: 0, events: 1 }
  const seconds = await withSite(database, fill, ({ child }) => child.ask<number>({ do: 'end' }))
  return bounded(`${name}: time to end the sessions of ${sessions.toLocaleString('en')} users`, seconds, 's', '≤', 3)
}
