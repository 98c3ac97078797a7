import type { Store } from '../store/contract/store.ts'
import { postgresStore } from '../store/postgres/index.ts'
import { sqliteStore } from '../store/sqlite/index.ts'

/** The store a database URL names: `sqlite:path` or `postgres://…`. */
export function storeOf(databaseUrl: string): Store {
  if (databaseUrl.startsWith('sqlite:')) return sqliteStore(databaseUrl.slice('sqlite:'.length))
  return postgresStore(databaseUrl)
}
