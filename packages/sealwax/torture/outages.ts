import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileOf, type Place } from './place.ts'

/** A way to make a store unavailable for a while. */
export interface Outage {
  readonly databaseUrl: string
  begin(): Promise<void>
  end(): Promise<void>
}

/** Why this machine cannot create the outage. */
type Impossible = string

export type MakeOutage = (place: Place) => Promise<Outage | Impossible>

/**
 * Postgres is shut down, killed with all its processes, or frozen: connections stay open, but
 * nothing responds.
 */
export const POSTGRES_OUTAGES: Readonly<Record<string, MakeOutage>> = {
  async stopped(place) {
    const server = await place.postgres()
    return {
      databaseUrl: await place.database('postgres'),
      begin: () => server.stop('fast'),
      end: () => server.start(),
    }
  },
  async crashed(place) {
    const server = await place.postgres()
    return {
      databaseUrl: await place.database('postgres'),
      begin: () => server.stop('crash'),
      end: () => server.start(),
    }
  },
  async frozen(place) {
    const server = await place.postgres()
    return {
      databaseUrl: await place.database('postgres'),
      begin: async () => server.signal('SIGSTOP'),
      end: async () => server.signal('SIGCONT'),
    }
  },
}

/** The file is locked by another process, cannot be written, or the disk is full. */
export const SQLITE_OUTAGES: Readonly<Record<string, MakeOutage>> = {
  async locked(place) {
    const databaseUrl = await place.database('sqlite')
    let holder: DatabaseSync | undefined
    return {
      databaseUrl,
      async begin() {
        holder = new DatabaseSync(fileOf(databaseUrl), { timeout: 10_000 })
        holder.exec('begin immediate')
      },
      async end() {
        holder?.exec('rollback')
        holder?.close()
      },
    }
  },
  async 'read-only'(place) {
    const databaseUrl = await place.database('sqlite')
    const file = fileOf(databaseUrl)
    // The shared-memory file is mapped, not written, and stays as it is.
    const immutable = (how: '+i' | '-i') => {
      for (const each of [file, `${file}-wal`])
        if (existsSync(each)) execFileSync('chattr', [how, each], { stdio: 'pipe' })
    }
    const probe = `${file}.probe`
    try {
      await (await open(probe, 'w')).close()
      execFileSync('chattr', ['+i', probe], { stdio: 'pipe' })
      execFileSync('chattr', ['-i', probe], { stdio: 'pipe' })
    } catch {
      return 'a file cannot be made immutable here (that takes root and chattr)'
    }
    return { databaseUrl, begin: async () => immutable('+i'), end: async () => immutable('-i') }
  },
  async full(place) {
    const mounted = join(dirname(fileOf(await place.database('sqlite'))), 'small-disk')
    mkdirSync(mounted, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mounted], { stdio: 'pipe' })
    } catch {
      return 'a small file system cannot be mounted here (that takes root)'
    }
    const filler = join(mounted, 'filler')
    return {
      databaseUrl: `sqlite:${join(mounted, 'auth.db')}`,
      begin: () => fill(filler),
      end: async () => rmSync(filler, { force: true }),
    }
  },
}

/** Writes until the disk is full. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (;;) await file.write(Buffer.alloc(4096))
  } catch {
    // The disk is full, as intended.
  } finally {
    await file.close()
  }
}

/** Unmounts the file system that `full` mounted. */
export function unmount(databaseUrl: string): void {
  const directory = dirname(databaseUrl.slice('sqlite:'.length))
  if (directory.endsWith('small-disk')) execFileSync('umount', [directory], { stdio: 'pipe' })
}
