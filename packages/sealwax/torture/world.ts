import { copyFileSync, rmSync } from 'node:fs'
import postgres from 'postgres'
import { AuthError } from '../src/index.ts'
import { createClock, standing } from '../test/server.ts'
import { openAuth } from './open.ts'
import { fileOf } from './place.ts'

/** Where a token is presented from. */
interface Presenter {
  readonly ip: string
  readonly userAgent: string
}

/** The generation of the successor, or the reason of the refusal. */
export type Outcome = number | string

/**
 * One server with one session at a time, a clock that the test moves, and a store that can be
 * restored from an older copy.
 */
export interface World extends AsyncDisposable {
  now(): number
  wait(milliseconds: number): void
  /** Starts the session that the other methods use, and returns its first refresh token. */
  begin(client: Presenter): Promise<string>
  present(token: string, client: Presenter): Promise<{ outcome: Outcome; refreshToken?: string }>
  /** What the guard decides about the last access token of the session. */
  standing(): Promise<string>
  /** Copies the store. */
  copy(): Promise<void>
  /** Restores the copy, if one was made since `begin`. */
  restore(): Promise<void>
}

export async function createWorld(databaseUrl: string): Promise<World> {
  const clock = createClock()
  const open = () => openAuth(databaseUrl, { now: () => clock.time })
  let auth = await open()
  const backup = databaseUrl.startsWith('sqlite:')
    ? fileBackup(fileOf(databaseUrl), {
        close: () => auth.close(),
        open: async () => {
          auth = await open()
        },
      })
    : rowBackup(databaseUrl)
  let session = ''
  let access = ''
  let copied = false
  return {
    now: () => clock.time,
    wait: (milliseconds) => clock.advance(milliseconds),
    async begin(client) {
      const tokens = await auth.sessions.create({ subject: 'ann', client })
      session = tokens.session.id
      access = tokens.access_token
      copied = false
      return tokens.refresh_token
    },
    async present(token, client) {
      try {
        const { refresh_token: refreshToken, access_token } = await auth.sessions.refresh(token, client)
        access = access_token
        return { outcome: generationOf(refreshToken), refreshToken }
      } catch (error) {
        if (!(error instanceof AuthError) || error.code !== 'invalid_grant') throw error
        return { outcome: error.reason ?? '' }
      }
    },
    standing: () => standing(auth, access),
    async copy() {
      await backup.copy(session)
      copied = true
    },
    async restore() {
      if (copied) await backup.restore(session)
    },
    async [Symbol.asyncDispose]() {
      await auth.close()
      await backup.end()
    },
  }
}

interface Backup {
  copy(session: string): Promise<void>
  restore(session: string): Promise<void>
  end(): Promise<void>
}

/** As an operator does it: stops the server and copies the file. */
function fileBackup(file: string, server: { close: () => Promise<void>; open: () => Promise<void> }): Backup {
  const exchange = async (from: string, to: string) => {
    await server.close()
    for (const suffix of ['-wal', '-shm']) rmSync(to + suffix, { force: true })
    copyFileSync(from, to)
    await server.open()
  }
  return {
    copy: () => exchange(file, `${file}.copy`),
    restore: () => exchange(`${file}.copy`, file),
    end: async () => {},
  }
}

/** As after a failover that lost the last transactions: the row of the session as it was before. */
function rowBackup(url: string): Backup {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  let row: Record<string, never> | undefined
  return {
    async copy(session) {
      row = (await sql`select * from sealwax.sessions where id = ${session}`)[0] as never
    },
    async restore(session) {
      if (row !== undefined) await sql`update sealwax.sessions set ${sql(row)} where id = ${session}`
    },
    end: () => sql.end(),
  }
}

/** A refresh token contains the generation after its format and session id. */
function generationOf(refreshToken: string): number {
  return Buffer.from(refreshToken.slice(4), 'base64url').readUInt32BE(17)
}
