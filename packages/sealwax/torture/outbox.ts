import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Received } from '../test/mailbox.ts'
import { fileOf } from './place.ts'
import type { Run } from './run.ts'

/** A `kill -9` of a server. Times are those of `performance.now()`. */
export interface Kill {
  readonly victim: string
  readonly from: number
  readonly until: number
}

/** How many mails a server sends at the same time. */
const SLOTS = 5
/** How much later this process may read a mail that a killed server had transmitted. */
const READ_LATE_MS = 1000
/** How long new servers may take to send everything that is due. */
const DRAIN_MS = 30_000

/** The rows of a query on a table of Sealwax, by SQL that both stores understand. */
export async function rows(databaseUrl: string, columns: string, table: string): Promise<Record<string, unknown>[]> {
  if (databaseUrl.startsWith('sqlite:')) {
    const database = new DatabaseSync(fileOf(databaseUrl), { readOnly: true, timeout: 5000 })
    try {
      return database.prepare(`select ${columns} from ${table}`).all()
    } finally {
      database.close()
    }
  }
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe(`select ${columns} from sealwax.${table}`))]
  } finally {
    await sql.end()
  }
}

/** Waits until nothing is left in the outbox. */
export async function drained(run: Run, databaseUrl: string): Promise<void> {
  const deadline = performance.now() + DRAIN_MS
  for (;;) {
    const left = await rows(databaseUrl, 'kind, recipient, attempts', 'outbox')
    if (left.length === 0) return
    if (performance.now() > deadline) {
      return run.check(false, `mails stay in the outbox after the lease: ${JSON.stringify(left)}`)
    }
    await delay(50)
  }
}

/** How many of the links can still be used. */
export async function liveTokens(databaseUrl: string, tokens: Iterable<string>): Promise<number> {
  const stored = new Set((await rows(databaseUrl, 'hash', 'one_time_tokens')).map(({ hash }) => hash))
  return [...new Set(tokens)].filter((token) => stored.has(createHash('sha256').update(token).digest('base64url')))
    .length
}

/** The `Message-ID`, which all copies of a mail have in common. */
export function idOf({ headers }: Received): string {
  return headers.get('message-id') ?? ''
}

/** The server that sent a mail, from its sender address. */
function senderOf({ from }: Received): string {
  return from.replace(/^.*?([^\s<"]+)@.*$/, '$1')
}

/** The token of the link to a page; undefined in other mails. */
export function tokenIn({ links }: Received, page: string): string | undefined {
  const link = links.find((given) => given.includes(`/account/${page}?`))
  return link === undefined ? undefined : (new URL(link).searchParams.get('token') ?? undefined)
}

/**
 * A mail arrives again only when its sender was killed after it had been transmitted, and each kill
 * repeats no more mails than a server sends at the same time.
 */
export function checkCopies(run: Run, all: readonly Received[], kills: readonly Kill[]): void {
  const byId = Map.groupBy(all, idOf)
  const repeated = new Map<Kill, number>()
  for (const [id, copies] of byId) {
    const ordered = copies.toSorted((a, b) => a.at - b.at)
    for (const [i, copy] of ordered.slice(1).entries()) {
      const first = ordered[i] as Received
      const sender = senderOf(first)
      const kill = kills.find(({ victim, until }) => victim === sender && until + READ_LATE_MS >= first.at)
      const excused = kill !== undefined && kill.from < copy.at
      run.check(excused, `${id} (${first.subject}) was sent twice although ${sender} was not killed in between`)
      if (kill !== undefined) repeated.set(kill, (repeated.get(kill) ?? 0) + 1)
    }
  }
  for (const times of repeated.values()) run.check(times <= SLOTS, `one kill repeated ${times} mails`)
  for (const [sender, sent] of Map.groupBy(all, senderOf)) run.count(`mails sent by server ${sender}`, sent.length)
  run.count('different mails delivered', byId.size)
  run.count('mails delivered once more after a kill', all.length - byId.size)
}
