import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DATABASE, OURS } from './installation.ts'

/** A running `sealwax serve`. */
export interface Served {
  readonly port: number
  stop(): Promise<void>
}

/**
 * Starts `sealwax serve` as an operator would, on the database of the embedding server, with the
 * same users and keys.
 */
export async function served(directory: string): Promise<Served> {
  const program = join(import.meta.dirname, '../packages/sealwax/bin/sealwax.js')
  const env = {
    PATH: process.env.PATH,
    SEALWAX_ISSUER: OURS.issuer,
    SEALWAX_AUDIENCE: OURS.audience,
    SEALWAX_SECRET: OURS.secret,
    SEALWAX_MAX_SESSIONS: String(OURS.maxSessions),
    SEALWAX_DATABASE_URL: `sqlite:${join(directory, DATABASE)}`,
    SEALWAX_TRUST_PROXY: String(OURS.trustProxy),
    SEALWAX_PORT: '0',
  }
  const command = ['-c', '0', process.execPath, program, 'serve']
  const child = spawn('taskset', command, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const port = await new Promise<number>((resolve, reject) => {
    // The output is read until it ends: the server would block on a full pipe.
    createInterface(child.stdout).on('line', (line) => {
      const url = /"url":"([^"]+)"/.exec(line)?.[1]
      if (url === undefined) return
      clearTimeout(late)
      resolve(Number(new URL(url).port))
    })
    const late = setTimeout(() => child.kill(), 10_000)
    ended.then(([code]) => reject(new Error(`sealwax serve ended before it was listening: ${code}`)), reject)
  })
  const stop = async () => {
    child.kill()
    await ended
  }
  return { port, stop }
}
