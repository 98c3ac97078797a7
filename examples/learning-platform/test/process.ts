import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export interface ExampleProcess {
  readonly child: ChildProcess
  readonly url: string
  /** Everything printed so far, on both streams. */
  output(): string
  /**
   * Sends the signal, waits until the process has ended, and returns the exit code: null after
   * SIGKILL.
   */
  end(signal: NodeJS.Signals): Promise<number | null>
}

const MAIN = join(import.meta.dirname, '../src/main.ts')

/** Starts a program of the example with only PATH and the given variables as its environment. */
export function run(program: string, env: Record<string, string>, argv: readonly string[] = []) {
  const child = spawn(process.execPath, ['--conditions=@sealwax/source', program, ...argv], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const closed = once(child, 'close').then(([code]) => code as number | null)
  return { child, closed, output: () => output }
}

/**
 * Does what `npm start` does, without npm, and waits until the example has printed that it is
 * ready. PORT is any free port unless given. The process is killed after the test.
 */
export async function startExample(t: TestContext, env: Record<string, string>): Promise<ExampleProcess> {
  const { child, closed, output } = run(MAIN, { PORT: '0', ...env })
  t.after(() => child.kill('SIGKILL'))
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return closed
  }
  let over = false
  void closed.then(() => (over = true))
  for (;;) {
    const url = /is ready: (http:\S+)[\s\S]*npm run tour/.exec(output())?.[1]
    if (url !== undefined) return { child, url, output, end }
    if (over) throw new Error(`The example ended before it was ready:\n${output()}`)
    await Promise.race([once(child.stdout, 'data'), closed])
  }
}

/** An empty directory for the test's databases. */
export function dataDirFor(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'learning-platform-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A request with JSON in both directions. */
export async function call(
  url: string,
  path: string,
  options: { token?: string; body?: unknown; method?: string } = {},
) {
  const { token, body, method = body === undefined ? 'GET' : 'POST' } = options
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}
