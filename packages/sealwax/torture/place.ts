import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../test/postgres.ts'
import { tempDir } from '../test/server.ts'

export type StoreName = 'sqlite' | 'postgres'

/** Where a suite keeps its databases. */
export interface Place extends AsyncDisposable {
  readonly directory: string
  /** Creates an empty database and returns its URL. */
  database(store: StoreName): Promise<string>
  /** The Postgres server. It is started on first use and shared by all suites. */
  postgres(): Promise<PostgresServer>
}

export function createPlace(): Place {
  const directory = tempDir()
  let files = 0
  let server: Promise<PostgresServer> | undefined
  const place: Place = {
    directory: directory.path,
    async database(store) {
      if (store === 'postgres') return (await place.postgres()).createDatabase()
      files += 1
      return `sqlite:${join(directory.path, `${files}.db`)}`
    },
    postgres() {
      // A crash test of a database that does not sync proves less. (The kernel survives the crash
      // in any case.)
      server ??= startPostgres({ fsync: 'on' })
      return server
    },
    async [Symbol.asyncDispose]() {
      await (await server)?.remove()
      directory[Symbol.dispose]()
    },
  }
  return place
}

/** The file path of a `sqlite:` URL. */
export function fileOf(databaseUrl: string): string {
  return databaseUrl.slice('sqlite:'.length)
}
