import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { SECRET } from '../test/server.ts'
import { ask } from './http.ts'

/** A server process that can be killed and started again on the same port. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Starts it and waits until it is ready. */
  start(): Promise<void>
  /**
   * Sets the clock of an `embedding` process ahead by so many milliseconds, and those of the
   * processes that are started here later.
   */
  setClock(offset: number): Promise<void>
  /** Sends SIGKILL or another signal. Resolves when the process has exited. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Whether the process that was started last has exited without being killed here. */
  readonly died: boolean
  /** The last 20 lines of its output. */
  readonly tail: readonly string[]
}

export const ISSUER = 'http://127.0.0.1:5000'
export const AUDIENCE = 'api'

/**
 * `sealwax` as it is installed, or embedding.ts, which can also create sessions and move its clock.
 */
const PROGRAMS = {
  sealwax: [join(import.meta.dirname, '../bin/sealwax.js'), 'serve'],
  embedding: ['--conditions=@sealwax/source', join(import.meta.dirname, 'embedding.ts')],
} as const

export interface ServerOptions {
  readonly databaseUrl: string
  readonly program: keyof typeof PROGRAMS
  readonly settings?: Readonly<Record<string, string>>
  /** A command that runs the server, such as a tracer. */
  readonly under?: readonly string[]
}

/** Starts a server process on a database. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    PATH: process.env.PATH ?? '',
    SEALWAX_ISSUER: ISSUER,
    SEALWAX_AUDIENCE: AUDIENCE,
    SEALWAX_SECRET: SECRET,
    SEALWAX_DATABASE_URL: options.databaseUrl,
    SEALWAX_PORT: String(port),
    SEALWAX_LOG_LEVEL: 'warn',
    NODE_COMPILE_CACHE: compileCache(),
    ...options.settings,
  }
  const [command, ...args] = [...(options.under ?? []), process.execPath, ...PROGRAMS[options.program]]
  const tail: string[] = []
  let child: ChildProcess | undefined
  let clock = 0
  const server: ServerProcess = {
    ...{ url, tail },
    get pid() {
      return child?.pid ?? -1
    },
    get died() {
      return child !== undefined && (child.exitCode !== null || child.signalCode !== null)
    },
    async start() {
      const given = clock === 0 ? args : [...args, String(clock)]
      child = spawn(command as string, given, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', keep)
      await ready(url, child, tail)
    },
    async setClock(offset) {
      clock = offset
      await ask(`${url}/torture/clock`, { json: { offset } })
    },
    async kill(signal = 'SIGKILL') {
      const dying = child
      child = undefined
      if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return
      const gone = new Promise((resolve) => dying.once('exit', resolve))
      // A tracer is the leader of a process group that includes the server. All of it is killed at
      // once.
      process.kill(-(dying.pid as number), signal)
      await gone
    },
    [Symbol.asyncDispose]: () => server.kill(),
  }
  const keep = (text: string) => {
    tail.push(...text.split('\n').filter((line) => line !== ''))
    tail.splice(0, tail.length - 20)
  }
  await server.start()
  return server
}

/** Starts several servers on one database at the same time. */
export async function startServers(count: number, options: ServerOptions): Promise<Fleet> {
  const starts = await Promise.allSettled(Array.from({ length: count }, () => startServer(options)))
  const all = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const failed = starts.find((start) => start.status === 'rejected')
  if (failed !== undefined) {
    await Promise.all(all.map((server) => server.kill()))
    throw failed.reason
  }
  return {
    all,
    urls: all.map(({ url }) => url),
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((server) => server.kill()))
    },
  }
}

export interface Fleet extends AsyncDisposable {
  readonly all: readonly ServerProcess[]
  readonly urls: readonly string[]
}

let cache: string | undefined

/** Servers start hundreds of times, so they share a compile cache. */
function compileCache(): string {
  if (cache === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'sealwax-torture-'))
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    cache = directory
  }
  return cache
}

const START_MS = 30_000

async function ready(url: string, child: ChildProcess, tail: readonly string[]): Promise<void> {
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline) {
    const answer = await ask(`${url}/readyz`)
    if (answer !== 'lost' && answer.status === 200) return
    if (child.exitCode !== null) break
    await delay(20)
  }
  throw new Error(`A server did not become ready: ${tail.join('\n')}`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
