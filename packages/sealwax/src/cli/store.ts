import type { Context } from '../core/context.ts'
import type { Store } from '../core/unit-of-work.ts'
import { openForCommand } from '../create-auth.ts'
import type { Feature } from '../feature.ts'
import { FEWEST_CONNECTIONS } from '../store/postgres/connections.ts'
import { sqliteStore } from '../store/sqlite/index.ts'
import type { Environment } from './settings.ts'

/**
 * Creates the store for a database URL: `sqlite:path` or `postgres://…`. SQLite ignores
 * `connections`, and needs none of the packages for Postgres.
 */
export async function storeOf(databaseUrl: string, connections?: number): Promise<Store> {
  if (databaseUrl.startsWith('sqlite:')) return sqliteStore(databaseUrl.slice('sqlite:'.length))
  const { postgresStore } = await import('../store/postgres/index.ts')
  return postgresStore(databaseUrl, connections === undefined ? {} : { connections })
}

/** Opens the installation for one command and closes it. Servers may run at the same time. */
export async function withContext(
  environment: Environment,
  features: readonly Feature[],
  run: (context: Context) => Promise<void>,
): Promise<void> {
  printWarnings(environment)
  const store = await storeOf(environment.databaseUrl, FEWEST_CONNECTIONS)
  const { context, close } = await openForCommand({ ...environment.auth, store }, features)
  try {
    await run(context)
  } finally {
    await close()
  }
}

/** Prints to standard error, since programs may read the output of a command. */
export function printWarnings({ warnings }: { readonly warnings: readonly string[] }): void {
  for (const warning of warnings) console.error(`sealwax: ${warning}`)
}
