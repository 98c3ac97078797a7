import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, unprivileged } from '../postgres.ts'
import { tempDir } from '../server.ts'

const binary = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  .map((folder) => join(folder, 'pgbouncer'))
  .find((path) => existsSync(path))

/** Why tests that need pgbouncer cannot run; undefined if it is installed. */
export const withoutPgbouncer =
  binary === undefined ? 'pgbouncer is not installed (Debian: apt-get install pgbouncer)' : undefined

/**
 * Starts a pgbouncer in front of a server, with the default configuration except for addresses,
 * mode and the lines in `more`.
 */
export async function startPgbouncer(
  server: string,
  mode: 'session' | 'transaction',
  more: readonly string[] = [],
): Promise<{ through(url: string): string } & AsyncDisposable> {
  const { hostname, port, username } = new URL(server)
  const [own, directory, owner] = [await freePort(), tempDir(), unprivileged()]
  const file = join(directory.path, 'pgbouncer.ini')
  const lines = [
    ...['[databases]', `* = host=${hostname} port=${port} user=${username}`, '[pgbouncer]', `pool_mode = ${mode}`],
    ...['listen_addr = 127.0.0.1', `listen_port = ${own}`, 'unix_socket_dir =', 'auth_type = any', ...more],
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  if (owner.uid !== undefined)
    for (const path of [directory.path, file]) chownSync(path, owner.uid, owner.gid as number)
  const child = spawn(binary as string, ['-q', file], { ...owner, stdio: 'ignore' })
  const exited = once(child, 'exit')
  while (child.exitCode === null && !(await answers(own))) await delay(20)
  return {
    through(url) {
      const pooled = new URL(url)
      pooled.port = String(own)
      return pooled.href
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      directory[Symbol.dispose]()
    },
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
