import { existsSync } from 'node:fs'
import { AuthError } from '../errors.ts'
import { copyDatabase, unseal } from '../store/copy.ts'
import { postgresCopyEnd } from '../store/postgres/store.ts'
import { sqliteCopyEnd } from '../store/sqlite/store.ts'
import { storeOf } from './store.ts'

/** `sealwax db copy FROM TO`: moves a live installation from SQLite to Postgres. */
export async function databaseCopy(from: string, to: string): Promise<void> {
  const path = sqlitePath(from)
  if (!/^postgres(ql)?:\/\//.test(to))
    throw new AuthError('config_invalid', 'The target must be like postgres://user@host/database')
  for (const url of [from, to]) await migrated(url)
  const source = sqliteCopyEnd(path)
  const target = postgresCopyEnd(to)
  try {
    const counts = await copyDatabase(source, target)
    for (const [table, count] of Object.entries(counts)) console.log(`${table.padEnd(14)} ${count}`)
    console.log('Copied. The source refuses writes from now on: start the servers with the new SEALWAX_DATABASE_URL.')
  } finally {
    await Promise.all([source.close(), target.close()])
  }
}

/** `sealwax db unseal URL`: undoes the sealing of a source whose copy was killed. */
export async function databaseUnseal(url: string): Promise<void> {
  const source = sqliteCopyEnd(sqlitePath(url))
  try {
    await unseal(source)
    console.log('The database takes writes again.')
  } finally {
    await source.close()
  }
}

function sqlitePath(url: string): string {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : ''
  if (path === '' || !existsSync(path))
    throw new AuthError('config_invalid', 'The source must be like sqlite:sealwax.db, and exist')
  return path
}

async function migrated(url: string): Promise<void> {
  const store = storeOf(url)
  await store.open({ migrate: 'auto' })
  await store.close()
}
