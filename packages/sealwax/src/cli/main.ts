import { Command } from 'commander'
import { AuthError } from '../errors.ts'
import { databaseCopy, databaseUnseal } from './db.ts'
import { EnvironmentError, readEnvironment } from './env.ts'
import { openApi } from './openapi.ts'
import { serve } from './serve.ts'
import { usersCreate, usersList } from './users.ts'

/** The `sealwax` command. Settings come from the environment; `docs/configuration.md` lists them. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('sealwax')
    .description('JWT authentication server. Settings come from SEALWAX_… environment variables.')
    .showHelpAfterError()
  program
    .command('serve')
    .description('start the auth server')
    .action(() => serve(readEnvironment()))
  const users = program.command('users').description('manage users')
  users
    .command('create')
    .description('create a user; the password is read from standard input')
    .requiredOption('--email <address>', 'the e-mail address to log in with')
    .option('--id <id>', 'the user id (default: a random one)')
    .option('--role <role>', 'a role; may be repeated', (role, roles: string[]) => [...roles, role], [])
    .action((options) => usersCreate(readEnvironment(), options))
  users
    .command('list')
    .description('list all users, one JSON line each')
    .action(() => usersList(readEnvironment()))
  program
    .command('openapi')
    .description('print the OpenAPI document; needs no settings and no database')
    .option('--issuer <url>', 'the public URL of the server', 'http://127.0.0.1:5000')
    .option('--base-path <path>', 'where its routes stand, such as /auth', '')
    .action(openApi)
  const db = program.command('db').description('manage the database')
  db.command('copy')
    .description('move everything from SQLite to an empty Postgres; the source refuses writes from then on')
    .argument('<from>', 'sqlite:PATH')
    .argument('<to>', 'postgres://…')
    .action(databaseCopy)
  db.command('unseal')
    .description('let a source take writes again, after a copy that was killed')
    .argument('<url>', 'sqlite:PATH')
    .action(databaseUnseal)
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    report(error)
    process.exitCode = 1
  }
}

/** What went wrong, in sentences; a stack trace only for what nobody foresaw. */
function report(error: unknown): void {
  if (error instanceof EnvironmentError) {
    console.error('sealwax cannot start:')
    for (const problem of error.problems) console.error(`  ${problem}`)
  } else if (error instanceof AuthError) {
    console.error(`sealwax: ${error.detail} (${error.code})`)
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    console.error(`sealwax: port ${error.port} is busy. Type: SEALWAX_PORT=${Number(error.port) + 1} sealwax serve`)
  } else {
    console.error(error)
  }
}
