import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { FEED_EPOCH } from '../core/metadata-contract.ts'
import { AuthError } from '../errors.ts'
import { features } from '../features.ts'
import { copyDatabase, unseal } from '../store/copy.ts'
import { FEWEST_CONNECTIONS } from '../store/postgres/connections.ts'
import { parsePostgresUrl } from '../store/postgres/url.ts'
import { sqliteCopyEnd } from '../store/sqlite/store.ts'
import { isPostgresUrl } from './database-url.ts'
import { DEFAULT_DATABASE_URL, readDatabaseUrl } from './settings.ts'
import { printWarnings, storeOf } from './store.ts'

/**
 * `sealwax db copy [FROM] [TO]`: moves a live installation from SQLite to Postgres. Variables are
 * safer than arguments, which every process of the machine can read.
 */
export async function databaseCopy(givenFrom?: string, givenTo?: string): Promise<void> {
  const from = readUrl(givenFrom, 'SEALWAX_DATABASE_URL') ?? DEFAULT_DATABASE_URL
  const to = readUrl(givenTo, 'SEALWAX_COPY_TO')
  if (to === undefined) {
    throw new AuthError(
      'config_invalid',
      'The target is missing: set SEALWAX_COPY_TO or SEALWAX_COPY_TO_FILE to a postgres:// URL',
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
  const { postgresCopyEnd } = await import('../store/postgres/store.ts')
  const source = sqliteCopyEnd(path)
  const target = postgresCopyEnd(to)
  try {
    const counts = await copyDatabase(source, target, features)
    for (const [table, count] of Object.entries(counts)) console.log(`${table.padEnd(14)} ${count}`)
    console.log('Copied. The source now refuses writes: start the servers with the new SEALWAX_DATABASE_URL.')
  } finally {
    await Promise.all([source.close(), target.close()])
  }
}

/** The argument, or else the variable or its file. */
function readUrl(argument: string | undefined, name: 'SEALWAX_DATABASE_URL' | 'SEALWAX_COPY_TO'): string | undefined {
  if (argument !== undefined) return argument
  const { url, warnings } = readDatabaseUrl(name)
  printWarnings({ warnings })
  return url
}

/** `sealwax db unseal [URL]`: lets a source accept writes again after its copy was killed. */
export async function databaseUnseal(given?: string): Promise<void> {
  const url = readUrl(given, 'SEALWAX_DATABASE_URL') ?? DEFAULT_DATABASE_URL
  const source = sqliteCopyEnd(sqlitePath(url))
  try {
    await unseal(source)
    console.log('The database accepts writes again.')
  } finally {
    await source.close()
  }
}

/**
 * `sealwax db new-epoch [URL]`: after a failover that was not detected because the database does
 * not show its timeline. Running servers see the new epoch at their next read, and each guard reads
 * a full snapshot.
 */
export async function databaseNewEpoch(given?: string): Promise<void> {
  const url = readUrl(given, 'SEALWAX_DATABASE_URL') ?? DEFAULT_DATABASE_URL
  if (!isPostgresUrl(url)) sqlitePath(url, 'The database')
  const store = await storeOf(url, FEWEST_CONNECTIONS)
  await store.open({ features, migrate: 'off' })
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
const NO_EPOCH = 'The revocation feed has no epoch: the next server start creates one.'

function sqlitePath(url: string, what = 'The source'): string {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : ''
  if (path === '' || !existsSync(path))
    throw new AuthError('config_invalid', `${what} must be an existing file such as sqlite:sealwax.db`)
  return path
}

async function migrated(url: string): Promise<void> {
  const store = await storeOf(url)
  await store.open({ features, migrate: 'auto' })
  await store.close()
}
