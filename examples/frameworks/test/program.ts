import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../../learning-platform/test/process.ts'

/** A program of an example while it runs. */
export interface Program {
  readonly url: string
  /** Everything printed so far, on both streams. */
  output(): string
  /** Sends SIGTERM and returns the exit code. */
  end(): Promise<number | null>
  /** Kills the process, unless it has ended. */
  kill(): void
}

/**
 * Starts a program that reads PORT, by default on a free port, and waits until it prints its
 * address.
 */
export async function startProgram(
  path: string,
  env: Record<string, string> = {},
  argv: readonly string[] = [],
): Promise<Program> {
  const port = env.PORT ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const { child, closed, output } = run(path, { ...env, PORT: String(port) }, argv)
  let isOver = false
  void closed.then(() => {
    isOver = true
  })
  while (!output().includes(url)) {
    if (isOver) throw new Error(`${path} ended before it was ready:\n${output()}`)
    await delay(10)
  }
  const end = () => {
    child.kill('SIGTERM')
    return closed
  }
  return { url, output, end, kill: () => void child.kill('SIGKILL') }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
