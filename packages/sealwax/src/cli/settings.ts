import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { type AuthOptions, checkDuration, numberOrText, variableOf } from '../core/options.ts'
import { checkOption, OPTION_RULES } from '../options.ts'
import { FEWEST_CONNECTIONS, isConnectionCount, MOST_CONNECTIONS } from '../store/postgres/connections.ts'
import { databaseUrlProblem } from './database-url.ts'

/** The checked settings from the environment. */
export interface Environment {
  readonly auth: Omit<AuthOptions, 'store' | 'logger' | 'onEvent' | 'loadSubject' | 'now'>
  readonly databaseUrl: string
  /** The maximum of Postgres connections. `undefined`: the default of the store. */
  readonly databaseConnections: number | undefined
  readonly host: string
  readonly port: number
  readonly tls: Tls | undefined
  /**
   * How long an idle connection stays open, and how long a start waits for the database, in
   * milliseconds.
   */
  readonly keepAlive: number
  readonly startTimeout: number
  readonly logLevel: string
  /** Settings that work but should be changed, one sentence each. */
  readonly warnings: readonly string[]
}

export interface Tls {
  /** The paths of two PEM files. */
  readonly files: { readonly cert: string; readonly key: string }
  /** The contents of the files. */
  readonly cert: Buffer
  readonly key: Buffer
}

/** All problems of the environment, one sentence each. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

type Variables = Readonly<Record<string, string | undefined>>
type Parse = (text: string) => unknown

/** Options of `createAuth` by variable. */
export const OPTION_VARIABLES: ReadonlyMap<string, readonly [option: string, parse: Parse]> = new Map(
  [...OPTION_RULES].flatMap(([option, { parse }]) => (parse ? [[variableOf(option), [option, parse]] as const] : [])),
)

/** Settings of the server. */
const SETTINGS = [
  'SEALWAX_DATABASE_URL',
  'SEALWAX_DATABASE_CONNECTIONS',
  'SEALWAX_COPY_TO',
  'SEALWAX_HOST',
  'SEALWAX_PORT',
  'SEALWAX_TLS_CERT',
  'SEALWAX_TLS_KEY',
  'SEALWAX_KEEP_ALIVE',
  'SEALWAX_START_TIMEOUT',
  'SEALWAX_LOG_LEVEL',
] as const

/** Variables with a secret can name a file instead: the name of the variable with `_FILE`. */
const SECRETS: readonly string[] = ['SEALWAX_SECRET', 'SEALWAX_DATABASE_URL', 'SEALWAX_COPY_TO', 'SEALWAX_SMTP_URL']

/** All variables, for documentation and tests. */
export const VARIABLES: readonly string[] = [...OPTION_VARIABLES.keys(), ...SETTINGS]

const REQUIRED = {
  SEALWAX_ISSUER: 'the public URL of this server, such as https://auth.example.com',
  SEALWAX_AUDIENCE: 'the API that accepts the tokens, such as https://api.example.com',
  SEALWAX_SECRET: 'make one with: openssl rand -base64 48',
} as const

export const DEFAULT_DATABASE_URL = 'sqlite:sealwax.db'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/**
 * Reads all settings from the environment. No other code reads it.
 *
 * @throws {EnvironmentError} with one sentence per problem; none contains a secret
 */
export function readEnvironment(env: Variables = process.env): Environment {
  const problems: string[] = []
  const warnings: string[] = []
  const get = (name: string): string | undefined => readSetting(env, name, problems, warnings)
  refuseUnknown(env, problems)
  for (const [name, hint] of Object.entries(REQUIRED)) {
    if (!isSet(env, name)) problems.push(`${name} is missing: ${hint}`)
  }
  const auth: Record<string, unknown> = {}
  for (const [name, [option, parse]] of OPTION_VARIABLES) {
    const value = get(name)
    if (value === undefined) continue
    auth[option] = parse(value)
    const problem = checkOption(option, auth[option], auth as unknown as AuthOptions)
    if (problem !== undefined) problems.push(`${name}: ${problem}`)
  }
  const settings = {
    databaseUrl: databaseUrl('SEALWAX_DATABASE_URL', get('SEALWAX_DATABASE_URL') ?? DEFAULT_DATABASE_URL, problems),
    databaseConnections: connections(get('SEALWAX_DATABASE_CONNECTIONS'), problems),
    host: get('SEALWAX_HOST') ?? '127.0.0.1',
    port: port(get('SEALWAX_PORT') ?? '5000', problems),
    tls: tls(get('SEALWAX_TLS_CERT'), get('SEALWAX_TLS_KEY'), problems, warnings),
    keepAlive: milliseconds('SEALWAX_KEEP_ALIVE', get('SEALWAX_KEEP_ALIVE') ?? '72s', [1, 3600], problems),
    startTimeout: milliseconds('SEALWAX_START_TIMEOUT', get('SEALWAX_START_TIMEOUT') ?? '30s', [0, 3600], problems),
    logLevel: logLevel(get('SEALWAX_LOG_LEVEL') ?? 'info', problems),
  }
  if (problems.length > 0) throw new EnvironmentError(problems)
  return { auth: auth as unknown as Environment['auth'], ...settings, warnings }
}

/**
 * Reads a database URL from a variable or its file; `undefined` if neither is set.
 *
 * @throws {EnvironmentError}
 */
export function readDatabaseUrl(
  name: 'SEALWAX_DATABASE_URL' | 'SEALWAX_COPY_TO',
  env: Variables = process.env,
): { url: string | undefined; warnings: readonly string[] } {
  const problems: string[] = []
  const warnings: string[] = []
  const value = readSetting(env, name, problems, warnings)
  const url = value === undefined ? undefined : databaseUrl(name, value, problems)
  if (problems.length > 0) throw new EnvironmentError(problems)
  return { url, warnings }
}

function isSet(env: Variables, name: string): boolean {
  return (env[name] ?? '') !== '' || (SECRETS.includes(name) && (env[`${name}_FILE`] ?? '') !== '')
}

function readSetting(env: Variables, name: string, problems: string[], warnings: string[]): string | undefined {
  const value = env[name]
  const file = SECRETS.includes(name) ? env[`${name}_FILE`] : undefined
  if (file === undefined || file === '') return value === '' ? undefined : value
  if (value !== undefined && value !== '') problems.push(`${name} and ${name}_FILE are both set; keep one`)
  return readSecretFile(file, `${name}_FILE`, problems, warnings)?.toString().trim()
}

/** Messages omit the path, which may be the secret itself by mistake. */
function readFile(path: string, name: string, problems: string[]): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    problems.push(`${name}: the file at this path cannot be read (${reason})`)
    return undefined
  }
}

function readSecretFile(path: string, name: string, problems: string[], warnings: string[]): Buffer | undefined {
  const content = readFile(path, name, problems)
  if (content !== undefined && process.platform !== 'win32') {
    const status = statSync(path)
    const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
    if (status.isFile() && (status.mode & 0o044) !== 0)
      warnings.push(`${name}: other users can read ${path} (mode ${mode})`)
  }
  return content
}

function refuseUnknown(env: Variables, problems: string[]): void {
  const known = new Set([...VARIABLES, ...SECRETS.map((name) => `${name}_FILE`)])
  for (const name of Object.keys(env)) {
    if (name.startsWith('SEALWAX_') && !known.has(name)) problems.push(`${name} is not a setting of this version`)
  }
}

function databaseUrl(name: string, value: string, problems: string[]): string {
  const problem = databaseUrlProblem(value, name)
  if (problem !== undefined) problems.push(problem)
  return value
}

function connections(value: string | undefined, problems: string[]): number | undefined {
  if (value === undefined) return undefined
  if (!isConnectionCount(Number(value)) || !/^\d+$/.test(value)) {
    problems.push(`SEALWAX_DATABASE_CONNECTIONS must be a number from ${FEWEST_CONNECTIONS} to ${MOST_CONNECTIONS}`)
  }
  return Number(value)
}

function port(value: string, problems: string[]): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number > 65_535) problems.push('SEALWAX_PORT must be a number from 0 to 65535')
  return number
}

function milliseconds(
  name: string,
  value: string,
  [least, most]: readonly [number, number],
  problems: string[],
): number {
  try {
    return checkDuration(name, numberOrText(value) as never, { least: least * 1000, most: most * 1000 })
  } catch {
    // The message below also describes the format.
  }
  problems.push(`${name} must be a number of seconds or a duration such as 90s, from ${least} to ${most} seconds`)
  return 0
}

function logLevel(value: string, problems: string[]): string {
  if (!LOG_LEVELS.includes(value)) problems.push(`SEALWAX_LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`)
  return value
}

function tls(
  cert: string | undefined,
  key: string | undefined,
  problems: string[],
  warnings: string[],
): Environment['tls'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    problems.push('SEALWAX_TLS_CERT and SEALWAX_TLS_KEY must both be set to the paths of PEM files')
    return undefined
  }
  return readCertificate({ cert, key }, problems, warnings)
}

/**
 * Reads the certificate and its key. If they are invalid, returns `undefined` and adds a problem.
 */
export function readCertificate(files: Tls['files'], problems: string[], warnings: string[]): Tls | undefined {
  const cert = readFile(files.cert, 'SEALWAX_TLS_CERT', problems)
  const key = readSecretFile(files.key, 'SEALWAX_TLS_KEY', problems, warnings)
  if (cert === undefined || key === undefined) return undefined
  const found =
    findProblem('SEALWAX_TLS_CERT: the file is not a PEM certificate', { cert }) ??
    findProblem('SEALWAX_TLS_KEY: the file is not a PEM private key without a passphrase', { key }) ??
    findProblem('SEALWAX_TLS_CERT and SEALWAX_TLS_KEY: the key does not match the certificate', { cert, key })
  if (found === undefined) return { files, cert, key }
  problems.push(found)
  return undefined
}

/** Returns the sentence with the reason if OpenSSL rejects the files. */
function findProblem(sentence: string, parts: { cert?: Buffer; key?: Buffer }): string | undefined {
  try {
    createSecureContext(parts)
    return undefined
  } catch (error) {
    return `${sentence} (${error instanceof Error && 'code' in error ? String(error.code) : 'unusable'})`
  }
}
