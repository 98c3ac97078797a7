import { Command, InvalidArgumentError, Option } from 'commander'
import { AuthError } from '../errors.ts'
import type { Feature } from '../feature.ts'
import { features as allFeatures } from '../features.ts'
import { VERSION } from '../version.ts'
import { attackCommand } from './attack.ts'
import type { CommandOption } from './command.ts'
import { withoutDatabaseUrls } from './database-url.ts'
import { databaseCopy, databaseNewEpoch, databaseUnseal } from './db.ts'
import { learn } from './learn.ts'
import { openApi } from './openapi.ts'
import { secretsForget } from './secrets.ts'
import { serve } from './serve.ts'
import { EnvironmentError, readEnvironment } from './settings.ts'
import { withContext } from './store.ts'

/** The `sealwax` command. Reads its settings from the environment (see `docs/configuration.md`). */
export async function main(argv: readonly string[], features: readonly Feature[] = allFeatures): Promise<void> {
  const program = new Command('sealwax')
    .description('JWT authentication server. Settings come from SEALWAX_… environment variables.')
    .version(VERSION, '-v, --version', 'print the version')
    .showHelpAfterError()
    .configureOutput({ outputError: (text, write) => write(withoutDatabaseUrls(text)) })
  program
    .command('serve')
    .description('start the auth server')
    .action(() => serve(readEnvironment()))
  program
    .command('learn')
    .description('start the lesson about JWT authentication and open it; does not need settings or a database')
    .option('--port <number>', 'the port on 127.0.0.1; 0 for any free one', readPort, 5050)
    .option('--no-open', 'do not open a browser')
    .action(learn)
  addAttack(program)
  for (const { commands } of features) if (commands !== undefined) addGroup(program, commands, features)
  program
    .command('openapi')
    .description('print the OpenAPI document; does not need settings or a database')
    .option('--issuer <url>', 'the public URL of the server', 'http://127.0.0.1:5000')
    .option('--base-path <path>', 'the prefix of its routes, such as /auth', '')
    .action(openApi)
  program
    .command('secrets')
    .description('manage server secrets')
    .command('forget')
    .description('revoke the signing keys and end the sessions that a lost secret has encrypted')
    .argument('<fingerprint>', 'the fingerprint in the error of the start')
    .action((fingerprint) => secretsForget(readEnvironment(), fingerprint))
  const db = program.command('db').description('manage the database')
  db.command('copy')
    .description('copy all data from SQLite to an empty Postgres; the source then refuses writes')
    .argument('[from]', 'sqlite:PATH (default: SEALWAX_DATABASE_URL)')
    .argument(
      '[to]',
      'postgres://… (default: SEALWAX_COPY_TO); without a password, since other processes can read arguments',
    )
    .action(databaseCopy)
  db.command('unseal')
    .description('let a source accept writes again after a copy was killed')
    .argument('[url]', 'sqlite:PATH (default: SEALWAX_DATABASE_URL)')
    .action(databaseUnseal)
  db.command('new-epoch')
    .description('make every guard reload all revocations: after a failover, if Postgres does not show its timeline')
    .argument('[url]', 'sqlite:PATH or postgres://… (default: SEALWAX_DATABASE_URL)')
    .action(databaseNewEpoch)
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    // The file in `bin` names the package to install.
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') throw error
    report(error)
    process.exitCode = 1
  }
}

function addAttack(program: Command): void {
  program
    .command('attack')
    .description('send hostile requests to a guarded route and report what it does not refuse; does not need settings')
    .argument('<url>', 'the URL of the route, which accepts a bearer token')
    .option('--login <command>', 'prints a valid access token, or JSON with access_token, refresh_token, id_token')
    .option('--method <method>', 'the method of the route', 'GET')
    .option('--cookie <name>', 'the cookie in which the route accepts the token, too')
    .option('--origin <url>', 'another origin whose pages use the route, such as https://app.example.com')
    .option('--jwks <url>', "the issuer's key set (default: from its metadata)")
    .option('--refresh <url>', 'where the refresh token is used; its session ends')
    .option('--refresh-grace <seconds>', 'how long a refresh token may still work after its successor was used', '60')
    .option('--json', 'print one JSON line')
    .option('--i-own-this', 'attack a host that is not this machine')
    .action(attackCommand)
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('It must be a number from 0 to 65535.')
}

type Group = NonNullable<Feature['commands']>

function addGroup(program: Command, { name, description, commands }: Group, features: readonly Feature[]): void {
  const group = program.command(name).description(description)
  for (const command of commands) addCommand(group, command, features)
}

function addCommand(group: Command, declared: Group['commands'][number], features: readonly Feature[]): void {
  const { arguments: positional = [], options = [] } = declared
  const command = group.command(declared.name).description(declared.description)
  for (const [usage, description] of positional) command.argument(usage, description)
  for (const option of options) command.addOption(createOption(option))
  command.action((...given: unknown[]) => {
    const named = positional.map(([usage], i) => [usage.slice(1, -1), given[i]])
    const input = { ...(given[positional.length] as object), ...Object.fromEntries(named) }
    if ('standalone' in declared) return declared.run(input as never)
    return withContext(readEnvironment(), features, (context) => declared.run(context, input as never))
  })
}

function createOption({ flags, description, required, repeated, default: value }: CommandOption): Option {
  const option = new Option(flags, description).makeOptionMandatory(required === true)
  if (repeated) option.argParser((one, before: string[] = []) => [...before, one])
  return value === undefined ? option : option.default(value)
}

/** Prints an error as sentences; with a stack trace only if it is unexpected. */
function report(error: unknown): void {
  const isLearn = process.argv[2] === 'learn'
  if (error instanceof EnvironmentError) {
    console.error('sealwax cannot start:')
    for (const problem of error.problems) console.error(`  ${problem}`)
  } else if (error instanceof AuthError) {
    console.error(`sealwax: ${error.detail} (${error.code})`)
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    const next = Number(error.port) + 1
    const serveAgain = `is in use. Try: SEALWAX_PORT=${next} sealwax serve`
    const learnAgain = `is in use, perhaps by a lesson in another terminal. Add --port ${next}, or --port 0 for any free one`
    console.error(`sealwax: port ${error.port} ${isLearn ? learnAgain : serveAgain}`)
  } else if (error instanceof Error && 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'bind')) {
    const settings = isLearn ? '--port' : 'SEALWAX_HOST and SEALWAX_PORT'
    console.error(`sealwax: cannot listen on ${settings}: ${error.message}`)
  } else {
    console.error(error)
  }
}
