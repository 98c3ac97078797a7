import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { fileOf } from './place.ts'
import type { Run } from './run.ts'

/**
 * Runs the integrity check of the database: `integrity_check` of SQLite, `pg_amcheck` of Postgres.
 * `thorough` includes every index on Postgres.
 */
export async function checkDatabase(run: Run, databaseUrl: string, thorough: boolean): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    const database = new DatabaseSync(fileOf(databaseUrl), { readOnly: true, timeout: 5000 })
    const found = database.prepare('pragma integrity_check').all()
    database.close()
    run.check(JSON.stringify(found) === '[{"integrity_check":"ok"}]', `integrity_check: ${JSON.stringify(found)}`)
    run.count('integrity_check')
    return
  }
  const [checker] = globSync('/usr/lib/postgresql/*/bin/pg_amcheck').toSorted().toReversed()
  if (checker === undefined) return run.skip('pg_amcheck is not installed (Debian: postgresql)')
  const { hostname, port, username, pathname } = new URL(databaseUrl)
  const args = [
    '-h',
    hostname,
    '-p',
    port,
    '-U',
    username,
    '-d',
    pathname.slice(1),
    '--install-missing',
    '-s',
    'sealwax',
  ]
  if (thorough) args.push('--heapallindexed', '--parent-check')
  const failed = await promisify(execFile)(checker, args).then(
    () => undefined,
    (error: { stdout?: string; message: string }) => `${error.message} ${error.stdout ?? ''}`,
  )
  run.check(failed === undefined, `pg_amcheck: ${failed}`)
  run.count('pg_amcheck')
}
