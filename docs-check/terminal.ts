import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** What a command printed, and its exit code. */
interface Printed {
  readonly output: string
  readonly code: number
}

/** One shell for a whole page, as its reader has: variables and functions stay. */
export interface Terminal {
  /** Runs a block. Rejects if it does not end in time. */
  run(code: string): Promise<Printed>
  /** Starts a block that does not end, such as a server, and waits until it prints something. */
  start(code: string): Promise<Printed>
  /** What the servers printed so far: it is not in the output of the commands. */
  printedByServers(): string
  close(): Promise<void>
}

const FAILED = 'a-command-failed-with'
const LONGEST_MS = 240_000
const LONGEST_START_MS = 60_000

export function openTerminal(folder: string, env: NodeJS.ProcessEnv): Terminal {
  const shell = spawn('bash', ['--norc'], { cwd: folder, env, detached: true })
  shell.stdout.setEncoding('utf8')
  shell.stderr.setEncoding('utf8')
  const logs = mkdtempSync(join(tmpdir(), 'sealwax-servers-'))
  const servers: string[] = []
  let output = ''
  const listeners = new Set<() => void>()
  const collect = (chunk: string) => {
    output += chunk
    for (const listener of listeners) listener()
  }
  shell.stdout.on('data', collect)
  shell.stderr.on('data', collect)

  const until = <T>(found: () => T | undefined, time: number, what: string) =>
    new Promise<T>((resolve, reject) => {
      const end = (action: () => void) => {
        clearTimeout(timer)
        listeners.delete(look)
        action()
      }
      const look = () => {
        const result = found()
        if (result !== undefined) end(() => resolve(result))
      }
      const timer = setTimeout(
        () => end(() => reject(new Error(`${what} after ${time / 1000} s\n${output.slice(-2000)}`))),
        time,
      )
      listeners.add(look)
      look()
    })

  const run = (code: string) => {
    const end = `end-${randomUUID()}`
    output = ''
    shell.stdin.write(`{ ${code}\n} </dev/null 2>&1\necho "${end}"\n`)
    return until(
      () => {
        const found = new RegExp(`^([^]*?)(?:${end}|${FAILED} (\\d+))\\n`).exec(output)
        return found === null ? undefined : { output: found[1] as string, code: Number(found[2] ?? 0) }
      },
      LONGEST_MS,
      'did not end',
    )
  }
  const start = async (code: string) => {
    const log = join(logs, `${randomUUID()}.log`)
    writeFileSync(log, '')
    servers.push(log)
    shell.stdin.write(`{ ${code}\n} </dev/null >"${log}" 2>&1 &\n`)
    for (const started = performance.now(); performance.now() - started < LONGEST_START_MS; await delay(50)) {
      const printed = readFileSync(log, 'utf8')
      if (/^(?!> ).+/m.test(printed)) return { output: printed, code: 0 } // npm prints lines with `> ` before it starts
    }
    throw new Error(`printed nothing after ${LONGEST_START_MS / 1000} s`)
  }
  const printedByServers = () => servers.map((log) => readFileSync(log, 'utf8').slice(-2000)).join('')
  const close = async () => {
    await killGroup(shell)
    rmSync(logs, { recursive: true, force: true })
  }
  // The first command that fails ends the shell.
  shell.stdin.write(`set -eo pipefail\ntrap 'echo "${FAILED} $?"' EXIT\n`)
  return { run, start, printedByServers, close }
}

async function killGroup(shell: ChildProcess): Promise<void> {
  if (shell.exitCode !== null || shell.pid === undefined) return
  const closed = once(shell, 'close')
  process.kill(-shell.pid, 'SIGKILL')
  await closed
}
