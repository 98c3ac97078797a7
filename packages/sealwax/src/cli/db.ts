import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { AuthError } from '../errors.ts'
import { FEED_EPOCH } from '../store/contract/metadata.ts'
import { copyDatabase, unseal } from '../store/copy.ts'
import { FEWEST_CONNECTIONS } from '../store/postgres/connections.ts'
import { postgresCopyEnd } from '../store/postgres/store.ts'
import { parsePostgresUrl } from '../store/postgres/url.ts'
import { sqliteCopyEnd } from '../store/sqlite/store.ts'
import { isPostgresUrl } from './database-url.ts'
import { DEFAULT_DATABASE_URL, readDatabaseUrl } from './env.ts'
import { printWarnings, storeOf } from './store.ts'

/**
 * `sealwax db copy [FROM] [TO]`: moves a live installation from SQLite to Postgres. The URLs come from variables rather than arguments, which every
 * process of the machine can read.
 */
export async function databaseCopy(givenFrom?: string, givenTo?: string): Promise<void> {
  const from = urlOf(givenFrom, 'SEALWAX_DATABASE_URL') ?? DEFAULT_DATABASE_URL
  const to = urlOf(givenTo, 'SEALWAX_COPY_TO')
  if (to === undefined) {
    throw new AuthError(
      'config_invalid',
      'Say where to: set SEALWAX_COPY_TO or SEALWAX_COPY_TO_FILE to a postgres:// URL',
    )
  }
  const path = sqlitePath(from)
  if (!isPostgresUrl(to)) throw new AuthError('config_invalid', 'The target must be like postgres://user@host/database')
  if (parsePostgresUrl(to, 'The target').password !== undefined && givenTo !== undefined) {
    printWarnings({
      warnings: ['other processes of this machine can read an argument; set SEALWAX_COPY_TO_FILE instead'],
    })
  }
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

/** The argument, else the variable or its file. */
function urlOf(argument: string | undefined, name: 'SEALWAX_DATABASE_URL' | 'SEALWAX_COPY_TO'): string | undefined {
  if (argument !== undefined) return argument
  const { url, warnings } = readDatabaseUrl(name)
  printWarnings({ warnings })
  return url
}

/** `sealwax db unseal [URL]`: undoes the sealing of a source whose copy was killed. */
export async function databaseUnseal(given?: string): Promise<void> {
  const url = urlOf(given, 'SEALWAX_DATABASE_URL') ?? DEFAULT_DATABASE_URL
  const source = sqliteCopyEnd(sqlitePath(url))
  try {
    await unseal(source)
    console.log('The database takes writes again.')
  } finally {
    await source.close()
  }
}

/**
 * `sealwax db new-epoch [URL]`: after a failover that nobody noticed, since the database does not tell its timeline. Servers that run see the new
 * epoch with their next reading, and each guard reads a full snapshot.
 */
export async function databaseNewEpoch(given?: string): Promise<void> {
  const url = urlOf(given, 'SEALWAX_DATABASE_URL') ?? DEFAULT_DATABASE_URL
  if (!isPostgresUrl(url)) sqlitePath(url, 'The database')
  const store = storeOf(url, FEWEST_CONNECTIONS)
  await store.open({ migrate: 'off' })
  try {
    const epoch = randomBytes(9).toString('base64url')
    const replaced = await store.transaction(async ({ metadata }) => {
      const isOpen = (await metadata.get(FEED_EPOCH)) !== undefined
      if (isOpen) await metadata.set(FEED_EPOCH, epoch)
      return isOpen
    })
    console.log(replaced ? NEW_EPOCH : NO_EPOCH)
  } finally {
    await store.close()
  }
}

const NEW_EPOCH = 'The revocation feed has a new epoch: every guard reads a full snapshot.'
const NO_EPOCH = 'The revocation feed has no epoch: the next start of a server gives it a new one.'

function sqlitePath(url: string, what = 'The source'): string {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : ''
  if (path === '' || !existsSync(path))
    throw new AuthError('config_invalid', `${what} must be like sqlite:sealwax.db, and exist`)
  return path
}

async function migrated(url: string): Promise<void> {
  const store = storeOf(url)
  await store.open({ migrate: 'auto' })
  await store.close()
}
