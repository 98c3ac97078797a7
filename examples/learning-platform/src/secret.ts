import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The server secret, from a file that only its owner can read. It is created on the first start.
 * Without it the stored keys and sessions cannot be used, and it must be kept apart from the
 * backups of the database.
 */
export function secretIn(dataDir: string): string {
  const path = join(dataDir, 'server.secret')
  if (!existsSync(path)) create(path)
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8').trim()
}

/**
 * The file appears with its whole content or not at all, even if the process dies. If two processes
 * start at the same time, one wins.
 */
function create(path: string): void {
  const draft = `${path.slice(0, -'.secret'.length)}.${process.pid}.secret`
  writeFileSync(draft, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}
