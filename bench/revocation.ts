import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '../packages/sealwax/test/postgres.ts'
import { type Child, startChild } from './child.ts'
import { type Connection, openConnection } from './load-client.ts'
import type { Run } from './main.ts'
import { quantile } from './measure.ts'
import { bounded, formatted, type Part, type Row } from './report.ts'
import type { Session } from './revocation-peer.ts'
import { now } from './watcher.ts'

/** Milliseconds between two log-outs: 20 log-outs a second. */
const PACE = 50

/**
 * How soon a log-out is known to other guards, and what a million live revocations cost a guard.
 */
export async function revocationPart({ quick }: Run): Promise<Part> {
  const logouts = quick ? 60 : 1000
  const rows = [...(await inProcess(logouts)), ...(await acrossServers(logouts)), ...(await listRows(quick))]
  const notes = [
    `From the last byte of the response of /logout to the first refusal with token_revoked: ${logouts} log-outs at 20 a second, with a request to each guard every 10 ms. A guard that refused earlier counts as 0.`,
    'Across servers: three servers on one Postgres (fsync on), with the log-outs distributed over them. The time is that of the last guard to refuse.',
    'A check: half of 20,000 tokens are revoked. The subject keys are computed in advance, as a guard does when it verifies.',
  ]
  return { rows, notes }
}

interface Site {
  readonly child: Child
  readonly port: number
}

async function startServer(database: string): Promise<Site> {
  const child = await startChild('revocation-peer.ts', { args: ['server', database] })
  return { child, port: await child.ask<number>({ do: 'port' }) }
}

async function inProcess(logouts: number): Promise<Row[]> {
  const directory = mkdtempSync(join(import.meta.dirname, '.data-'))
  const site = await startServer(join(directory, 'sealwax.db'))
  try {
    const delays = await measure([site], [site.child], logouts)
    return [delayRow('in process, SQLite', delays[0] ?? [], 50)]
  } finally {
    await site.child.stop()
    rmSync(directory, { recursive: true })
  }
}

async function acrossServers(logouts: number): Promise<Row[]> {
  const postgres = await startPostgres({ fsync: 'on' })
  const children: Child[] = []
  try {
    const url = await postgres.createDatabase()
    const sites: Site[] = []
    for (let count = 0; count < 3; count++) {
      const site = await startServer(url)
      sites.push(site)
      children.push(site.child)
    }
    const guards = await startChild('revocation-peer.ts', {
      args: ['guards', ...sites.map(({ port }) => String(port))],
    })
    children.push(guards)
    const delays = await measure(sites, [...sites.map(({ child }) => child), guards], logouts)
    return [
      delayRow('three servers on Postgres, their own guards', worstOf(delays.slice(0, 3)), 250),
      delayRow('three servers on Postgres, ten guards that follow the feed', delays[3] ?? [], 250),
    ]
  } finally {
    await Promise.all(children.map((child) => child.stop()))
    await postgres.remove()
  }
}

/**
 * Logs sessions out. Returns, for each watching process and each log-out, how long its last guard
 * took to refuse the token.
 */
async function measure(sites: readonly Site[], watchers: readonly Child[], logouts: number): Promise<number[][]> {
  const connections = await Promise.all(sites.map(({ port }) => openConnection(port)))
  const sessions = (await sites[0]?.child.ask<Session[]>({ do: 'sessions', count: logouts })) ?? []
  const delays: number[][] = watchers.map(() => [])
  const open: Promise<void>[] = []
  const start = now()
  for (const [index, session] of sessions.entries()) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, start + index * PACE - now())))
    const connection = connections[index % connections.length] as Connection
    open.push(logOut(connection, session, watchers, delays))
    // A connection carries one request at a time.
    if (open.length >= connections.length) await open[open.length - connections.length]
  }
  await Promise.all(open)
  for (const connection of connections) connection.close()
  return delays
}

async function logOut(
  connection: Connection,
  session: Session,
  watchers: readonly Child[],
  delays: number[][],
): Promise<void> {
  const token = session.accessToken
  await Promise.all(watchers.map((watcher) => watcher.ask({ do: 'watch', token })))
  const { status } = await connection.send(
    'POST',
    '/logout',
    '',
    JSON.stringify({ refresh_token: session.refreshToken }),
  )
  const replied = now()
  if (status !== 204) throw new Error(`a log-out returned ${status}`)
  await Promise.all(
    watchers.map(async (watcher, index) => {
      const times = await watcher.ask<number[]>({ do: 'refusals', token })
      delays[index]?.push(Math.max(0, Math.max(...times) - replied))
    }),
  )
}

function worstOf(delays: readonly (readonly number[])[]): number[] {
  return (delays[0] ?? []).map((_, index) => Math.max(...delays.map((own) => own[index] ?? 0)))
}

function delayRow(name: string, delays: readonly number[], limit: number): Row {
  const [p50, longest] = [quantile(delays, 0.5), Math.max(...delays)]
  const beside = `p50 ${formatted(p50)} ms, longest ${formatted(longest)} ms of ${delays.length}`
  return bounded(`${name}: p99`, quantile(delays, 0.99), 'ms', '≤', limit, beside)
}

interface Weight {
  readonly bytes: number
  readonly resident: number
  readonly check: number
  readonly size: number
}

async function listRows(quick: boolean): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of ['sid', 'ver'] as const) {
    const child = await startChild('guard-memory.ts', { flags: ['--expose-gc'] })
    try {
      const entries = 1_000_000
      const found = await child.ask<Weight>({ do: 'revocations', kind, entries, rounds: quick ? 6 : 20 })
      if (found.size !== entries) throw new Error(`the list holds ${found.size} of ${entries} revocations`)
      const name = `1 M live revocations (${kind})`
      const resident = `the process grew by ${formatted(found.resident / 2 ** 20)} MiB, including the old table while its entries are moved`
      rows.push(bounded(`${name}: memory`, found.bytes / 2 ** 20, 'MiB', '≤', 64, resident))
      rows.push(bounded(`${name}: a check`, found.check, 'µs', '≤', 1))
    } finally {
      await child.stop()
    }
  }
  return rows
}
