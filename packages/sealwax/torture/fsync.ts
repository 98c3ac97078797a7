import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TokenResponse } from '../src/index.ts'
import { ask, told } from './http.ts'
import { openAuth } from './open.ts'
import { fileOf, type Place } from './place.ts'
import type { Run } from './run.ts'
import { startServer } from './servers.ts'

const AT_ONCE = 20

/**
 * `kill -9` does not show whether anything was synced, because the kernel survives it. So each
 * connection that writes records its `synchronous`, and a trace of the system calls shows that no
 * response is sent before the write-ahead log it depends on is on disk.
 */
export async function fsync(run: Run, place: Place): Promise<void> {
  const databaseUrl = await place.database('sqlite')
  const rounds = run.times({ full: 200, short: 8 })
  const sessions: TokenResponse[] = []
  {
    await using auth = await openAuth(databaseUrl)
    for (let i = 0; i < rounds * AT_ONCE; i += 1) sessions.push(await auth.sessions.create({ subject: `u${i}` }))
  }
  askWriters(databaseUrl)
  const trace = join(place.directory, 'trace')
  if (!canTrace()) run.skip('strace is not installed, or may not trace here (Debian: strace)')
  const under = canTrace() ? ['strace', '-f', '-y', '-s', '24', '-o', trace, '-e', `trace=${CALLS}`] : []
  await using server = await startServer({ databaseUrl, program: 'sealwax', under })
  for (let round = 0; round < rounds; round += 1) {
    const tokens = sessions.slice(round * AT_ONCE, (round + 1) * AT_ONCE)
    const answers = await Promise.all(
      tokens.map(({ refresh_token }) => ask(`${server.url}/refresh`, { json: { refresh_token } })),
    )
    for (const answer of answers) run.check(answer !== 'lost' && answer.status === 200, `a refresh got ${told(answer)}`)
    run.count('refreshes', AT_ONCE)
  }
  const logout = await ask(`${server.url}/logout`, { json: { refresh_token: sessions[0]?.refresh_token } })
  run.check(logout !== 'lost' && logout.status === 204, `the log-out got ${told(logout)}`)
  await server.kill('SIGTERM')
  checkWriters(run, databaseUrl)
  if (under.length > 0) checkTrace(run, readFileSync(trace, 'utf8'), rounds * AT_ONCE)
}

const CALLS = 'pwrite64,fdatasync,fsync,read,write,writev,sendto,sendmsg'

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * Adds triggers that record how a connection syncs. A trigger runs on the connection that writes,
 * in any process.
 */
function askWriters(databaseUrl: string): void {
  const database = new DatabaseSync(fileOf(databaseUrl), { timeout: 5000 })
  database.exec('create table told (synchronous, journal_mode)')
  const note = 'insert into told select s.synchronous, j.journal_mode from pragma_synchronous s, pragma_journal_mode j'
  database.exec(`create trigger at_update after update on sessions begin ${note}; end`)
  database.exec(`create trigger at_insert after insert on audit_events begin ${note}; end`)
  database.close()
}

function checkWriters(run: Run, databaseUrl: string): void {
  const database = new DatabaseSync(fileOf(databaseUrl), { timeout: 5000 })
  const answers = database.prepare('select synchronous, journal_mode, count(*) as times from told group by 1, 2').all()
  database.close()
  for (const { synchronous, journal_mode, times } of answers) {
    run.count(`writes with synchronous=${synchronous}, journal_mode=${journal_mode}`, Number(times))
    run.check(synchronous === 2 && journal_mode === 'wal', `a writer has synchronous=${synchronous} in ${journal_mode}`)
  }
  run.check(answers.length > 0, 'no connection recorded how it syncs')
}

/** Reads the trace in order: writes to the log, syncs, requests received and responses sent. */
function checkTrace(run: Run, trace: string, replies: number): void {
  let unsynced = false
  let syncs = 0
  let asked = 0
  let answered = 0
  let early = 0
  let late = 0
  const syncing = new Set<string>()
  for (const line of trace.split('\n')) {
    const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    // A call that is interrupted by the line of another thread is split in two, and the second line
    // has the data that was read.
    if (/^(read\(|<\.\.\. read resumed>).*"POST \/(refresh|logout) /.test(call)) asked += 1
    else if (/^pwrite64\(\d+<[^>]*-wal>/.test(call)) {
      unsynced = true
      // No request is waiting for this write, so its response was sent too early.
      if (asked === answered && asked > 0) late += 1
    } else if (/^f(data)?sync\(\d+<[^>]*-wal>/.test(call)) {
      syncing.add(thread)
    } else if (/^(write|writev|sendto|sendmsg)\(\d+<socket:.*"HTTP\/1\.1 20[04] /.test(call) && answered < asked) {
      answered += 1
      if (unsynced) early += 1
    }
    if (syncing.has(thread) && /sync.*= 0$/.test(call)) {
      syncing.delete(thread)
      syncs += 1
      unsynced = false
    }
  }
  run.count('replies seen in the trace', answered)
  run.count('syncs of the write-ahead log seen in the trace', syncs)
  run.check(early === 0, `${early} responses were sent before the log was synced`)
  run.check(late === 0, `${late} writes to the log came after the response that depends on them`)
  run.check(answered > replies, `the trace shows ${answered} replies, of ${replies + 1}`)
  run.check(syncs >= replies / AT_ONCE, `${syncs} syncs for ${replies / AT_ONCE} rounds`)
}
