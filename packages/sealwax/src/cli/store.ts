import { openForCommand } from '../auth.ts'
import type { AuthServer } from '../auth-server.ts'
import type { Store } from '../store/contract/store.ts'
import { FEWEST_CONNECTIONS } from '../store/postgres/connections.ts'
import { postgresStore } from '../store/postgres/index.ts'
import { sqliteStore } from '../store/sqlite/index.ts'
import type { Environment } from './env.ts'

/** The store a database URL names: `sqlite:path` or `postgres://…`. SQLite has no use for a number of connections. */
export function storeOf(databaseUrl: string, connections?: number): Store {
  if (databaseUrl.startsWith('sqlite:')) return sqliteStore(databaseUrl.slice('sqlite:'.length))
  return postgresStore(databaseUrl, connections === undefined ? {} : { connections })
}

/** Opens the installation for one command, beside whatever servers run, and closes it. */
export async function withAuth(environment: Environment, run: (auth: AuthServer) => Promise<void>): Promise<void> {
  printWarnings(environment)
  const store = storeOf(environment.databaseUrl, FEWEST_CONNECTIONS)
  const auth = await openForCommand({ ...environment.auth, store })
  try {
    await run(auth)
  } finally {
    await auth.close()
  }
}

/** To standard error: the output of a command may be read by a program. */
export function printWarnings({ warnings }: { readonly warnings: readonly string[] }): void {
  for (const warning of warnings) console.error(`sealwax: ${warning}`)
}
