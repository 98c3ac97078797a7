import { Command } from 'commander'
import { AuthError } from '../errors.ts'
import {
  clientsCreate,
  clientsDelete,
  clientsDisable,
  clientsEnable,
  clientsList,
  clientsRotate,
  clientsUpdate,
} from './clients.ts'
import { withoutDatabaseUrls } from './database-url.ts'
import { databaseCopy, databaseNewEpoch, databaseUnseal } from './db.ts'
import { EnvironmentError, readEnvironment } from './env.ts'
import { keysList, keysRevoke, keysRotate } from './keys.ts'
import { openApi } from './openapi.ts'
import { secretsForget } from './secrets.ts'
import { serve } from './serve.ts'
import {
  usersCreate,
  usersDelete,
  usersDisable,
  usersEnable,
  usersList,
  usersSessions,
  usersSetPassword,
} from './users.ts'

/** The `sealwax` command. Settings come from the environment; `docs/configuration.md` lists them. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('sealwax')
    .description('JWT authentication server. Settings come from SEALWAX_… environment variables.')
    .showHelpAfterError()
    .configureOutput({ outputError: (text, write) => write(withoutDatabaseUrls(text)) })
  program
    .command('serve')
    .description('start the auth server')
    .action(() => serve(readEnvironment()))
  userCommands(program)
  const keys = program.command('keys').description('manage the signing keys, which rotate by themselves')
  keys
    .command('list')
    .description('list all keys, one JSON line each')
    .action(() => keysList(readEnvironment()))
  keys
    .command('rotate')
    .description('let the next key sign as soon as verifiers can know it')
    .action(() => keysRotate(readEnvironment()))
  keys
    .command('revoke')
    .description('take a key back in an emergency')
    .argument('<kid>', 'the key id, as `keys list` shows it')
    .option('--now', 'do it')
    .option('--dry-run', 'print who is affected and when, and change nothing')
    .option('--end-sessions', 'end the sessions that may hold its tokens, instead of letting them renew')
    .option('--all', 'revoke every key, the standby too')
    .action((kid, flags) => keysRevoke(readEnvironment(), kid, flags))
  clientCommands(program)
  program
    .command('openapi')
    .description('print the OpenAPI document; needs no settings and no database')
    .option('--issuer <url>', 'the public URL of the server', 'http://127.0.0.1:5000')
    .option('--base-path <path>', 'where its routes stand, such as /auth', '')
    .action(openApi)
  program
    .command('secrets')
    .description('manage what server secrets have wrapped')
    .command('forget')
    .description('give up what a lost secret has wrapped: its signing keys are revoked, its sessions end')
    .argument('<fingerprint>', 'as the start names it when that secret is missing')
    .action((fingerprint) => secretsForget(readEnvironment(), fingerprint))
  const db = program.command('db').description('manage the database')
  db.command('copy')
    .description('move everything from SQLite to an empty Postgres; the source refuses writes from then on')
    .argument('[from]', 'sqlite:PATH (default: SEALWAX_DATABASE_URL)')
    .argument(
      '[to]',
      'postgres://… (default: SEALWAX_COPY_TO); other processes can read an argument, so no password here',
    )
    .action(databaseCopy)
  db.command('unseal')
    .description('let a source take writes again, after a copy that was killed')
    .argument('[url]', 'sqlite:PATH (default: SEALWAX_DATABASE_URL)')
    .action(databaseUnseal)
  db.command('new-epoch')
    .description(
      'let every guard read all revocations again: after a failover, where Postgres does not tell its timeline',
    )
    .argument('[url]', 'sqlite:PATH or postgres://… (default: SEALWAX_DATABASE_URL)')
    .action(databaseNewEpoch)
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    report(error)
    process.exitCode = 1
  }
}

function userCommands(program: Command): void {
  const users = program.command('users').description('manage users; one is named by id or e-mail address')
  users
    .command('create')
    .description('create a user; the password is read from standard input')
    .requiredOption('--email <address>', 'the e-mail address to log in with')
    .option('--id <id>', 'the user id (default: a random one)')
    .option('--role <role>', 'a role; may be repeated', (role, roles: string[]) => [...roles, role], [])
    .option('--admin', 'make an administrator: adds the role that opens /admin/* (SEALWAX_ADMIN_ROLE)')
    .action((options) => usersCreate(readEnvironment(), options))
  users
    .command('list')
    .description('list all users, one JSON line each')
    .action(() => usersList(readEnvironment()))
  const acts = [
    ['disable', 'refuse this user from now on; all sessions end', usersDisable],
    ['enable', 'let a disabled user log in again', usersEnable],
    ['delete', 'delete a user; all sessions end', usersDelete],
    ['set-password', 'set a new password, read from standard input; all sessions end', usersSetPassword],
  ] as const
  for (const [name, description, act] of acts) {
    users
      .command(name)
      .description(description)
      .argument('<user>')
      .action((user) => act(readEnvironment(), user))
  }
  users
    .command('sessions')
    .description("list a user's live sessions, one JSON line each")
    .argument('<user>', "or the subject of an application's own user")
    .option('--end', 'end them all')
    .action((user, options) => usersSessions(readEnvironment(), user, options))
}

function clientCommands(program: Command): void {
  const clients = program.command('clients').description('manage API clients: machines with a secret and scopes')
  const repeated = (value: string, before: string[] = []) => [...before, value]
  clients
    .command('create')
    .description('create a client; its secret is printed this once')
    .requiredOption('--name <name>', 'what people call it')
    .option('--scope <scope>', 'a scope; may be repeated', repeated)
    .action((options) => clientsCreate(readEnvironment(), options))
  clients
    .command('list')
    .description('list all clients, one JSON line each')
    .action(() => clientsList(readEnvironment()))
  clients
    .command('update')
    .description('change the name or the scopes')
    .argument('<id>')
    .option('--name <name>', 'what people call it')
    .option('--scope <scope>', "all scopes it has from now on; may be repeated; '' for none", repeated)
    .action((id, options) => clientsUpdate(readEnvironment(), id, options))
  clients
    .command('rotate')
    .description('make a new secret, printed this once; the current one serves on for a while')
    .argument('<id>')
    .option('--overlap <duration>', "how long: seconds or a duration such as '24h'; 0 ends it now", '24h')
    .action((id, options) => clientsRotate(readEnvironment(), id, options))
  const acts = [
    ['disable', 'refuse this client from now on; its access tokens die', clientsDisable],
    ['enable', 'let a disabled client in again', clientsEnable],
    ['delete', 'delete a client; its access tokens die', clientsDelete],
  ] as const
  for (const [name, description, act] of acts) {
    clients
      .command(name)
      .description(description)
      .argument('<id>')
      .action((id) => act(readEnvironment(), id))
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
  } else if (error instanceof Error && 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'bind')) {
    console.error(`sealwax: cannot listen on SEALWAX_HOST and SEALWAX_PORT: ${error.message}`)
  } else {
    console.error(error)
  }
}
