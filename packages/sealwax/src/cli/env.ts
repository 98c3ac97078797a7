import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { checkDuration, checkOption } from '../config.ts'
import type { AuthOptions } from '../options.ts'
import { FEWEST_CONNECTIONS, isConnectionCount, MOST_CONNECTIONS } from '../store/postgres/connections.ts'
import { databaseUrlProblem } from './database-url.ts'

/** What the environment says, checked. */
export interface Environment {
  readonly auth: Omit<AuthOptions, 'store' | 'logger' | 'onEvent' | 'loadSubject' | 'now'>
  readonly databaseUrl: string
  /** Connections to Postgres at once; undefined: the default of the store. */
  readonly databaseConnections: number | undefined
  readonly host: string
  readonly port: number
  readonly tls: Tls | undefined
  /** How long an idle connection is kept, and how long a start waits for the database; in milliseconds. */
  readonly keepAlive: number
  readonly startTimeout: number
  readonly logLevel: string
  /** What works but should be changed, a sentence each. */
  readonly warnings: readonly string[]
}

export interface Tls {
  /** The paths of two PEM files. */
  readonly files: { readonly cert: string; readonly key: string }
  /** What is in them. */
  readonly cert: Buffer
  readonly key: Buffer
}

/** Everything wrong with the environment, a sentence each. */
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

const text: Parse = (value) => value
const list: Parse = (value) => value.split(/[\s,]+/).filter((item) => item !== '')
const duration: Parse = (value) => (/^\d+$/.test(value) ? Number(value) : value)

/** Options of `createAuth`: the variable is the option in capitals. */
const OPTIONS = {
  SEALWAX_ISSUER: ['issuer', text],
  SEALWAX_AUDIENCE: ['audience', list],
  SEALWAX_SECRET: ['secret', list],
  SEALWAX_ALG: ['alg', text],
  SEALWAX_ACCESS_TTL: ['accessTtl', duration],
  SEALWAX_KEY_PERIOD: ['keyPeriod', duration],
  SEALWAX_REFRESH_IDLE: ['refreshIdle', duration],
  SEALWAX_REFRESH_ABSOLUTE: ['refreshAbsolute', duration],
  SEALWAX_REFRESH_GRACE: ['refreshGrace', duration],
  SEALWAX_REFRESH_RECOVERY: ['refreshRecovery', duration],
  SEALWAX_AUDIT_RETENTION: ['auditRetention', duration],
  SEALWAX_MAX_SESSIONS: ['maxSessions', (value: string) => (/^\d+$/.test(value) ? Number(value) : value)],
  SEALWAX_BASE_PATH: ['basePath', text],
  SEALWAX_ALLOWED_ORIGINS: ['allowedOrigins', list],
  SEALWAX_COOKIE_NAME: ['cookieName', text],
  SEALWAX_TRUST_PROXY: ['trustProxy', (value: string) => (/^\d+$/.test(value) ? Number(value) : list(value))],
  SEALWAX_FORWARDED_HEADER: ['forwardedHeader', (value: string) => value.toLowerCase()],
  SEALWAX_REGISTRATION: ['registration', text],
  SEALWAX_ADMIN_ROLE: ['adminRole', text],
  SEALWAX_REVOCATION_FEED: ['revocationFeed', text],
  SEALWAX_MIGRATE: ['migrate', text],
} as const satisfies Record<string, readonly [keyof AuthOptions, Parse]>

/** Settings of the server around it. */
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

/** Variables that hold a secret may be given as a file: the variable's name with `_FILE`. */
const SECRETS: readonly string[] = ['SEALWAX_SECRET', 'SEALWAX_DATABASE_URL', 'SEALWAX_COPY_TO']

/** All variables, for documents and tests. */
export const VARIABLES: readonly string[] = [...Object.keys(OPTIONS), ...SETTINGS]
export const OPTION_VARIABLES: Readonly<Record<string, readonly [keyof AuthOptions, Parse]>> = OPTIONS

const REQUIRED = {
  SEALWAX_ISSUER: 'the public URL of this server, such as https://auth.example.com',
  SEALWAX_AUDIENCE: 'what the tokens are for, such as https://api.example.com',
  SEALWAX_SECRET: 'make one with: openssl rand -base64 48',
} as const

export const DEFAULT_DATABASE_URL = 'sqlite:sealwax.db'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/**
 * Reads the environment: the only place that does. Throws `EnvironmentError` with a sentence for every problem at once;
 * none repeats the value of a secret.
 */
export function readEnvironment(env: Variables = process.env): Environment {
  const problems: string[] = []
  const warnings: string[] = []
  const get = (name: string): string | undefined => settingOf(env, name, problems, warnings)
  refuseUnknown(env, problems)
  for (const [name, hint] of Object.entries(REQUIRED)) {
    if (!isSet(env, name)) problems.push(`${name} is missing: ${hint}`)
  }
  const auth: Record<string, unknown> = {}
  for (const [name, [option, parse]] of Object.entries(OPTIONS)) {
    const value = get(name)
    if (value === undefined) continue
    auth[option] = (parse as Parse)(value)
    const problem = checkOption(option, auth[option])
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

/** The database URL that one variable holds, or its file. Undefined when neither is set. Throws as `readEnvironment` does. */
export function readDatabaseUrl(
  name: 'SEALWAX_DATABASE_URL' | 'SEALWAX_COPY_TO',
  env: Variables = process.env,
): { url: string | undefined; warnings: readonly string[] } {
  const problems: string[] = []
  const warnings: string[] = []
  const value = settingOf(env, name, problems, warnings)
  const url = value === undefined ? undefined : databaseUrl(name, value, problems)
  if (problems.length > 0) throw new EnvironmentError(problems)
  return { url, warnings }
}

function isSet(env: Variables, name: string): boolean {
  return (env[name] ?? '') !== '' || (SECRETS.includes(name) && (env[`${name}_FILE`] ?? '') !== '')
}

function settingOf(env: Variables, name: string, problems: string[], warnings: string[]): string | undefined {
  const value = env[name]
  const file = SECRETS.includes(name) ? env[`${name}_FILE`] : undefined
  if (file === undefined || file === '') return value === '' ? undefined : value
  if (value !== undefined && value !== '') problems.push(`${name} and ${name}_FILE are both set; keep one`)
  return readSecretFile(file, `${name}_FILE`, problems, warnings)?.toString().trim()
}

/** The path is not repeated: who writes the secret itself where its path belongs would find it in a log. */
function readFile(path: string, name: string, problems: string[]): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    problems.push(`${name}: the file of this path cannot be read (${reason})`)
    return undefined
  }
}

function readSecretFile(path: string, name: string, problems: string[], warnings: string[]): Buffer | undefined {
  const content = readFile(path, name, problems)
  if (content !== undefined && process.platform !== 'win32') {
    const status = statSync(path)
    const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
    if (status.isFile() && (status.mode & 0o044) !== 0) warnings.push(`${name}: others may read ${path} (mode ${mode})`)
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
    return checkDuration(name, duration(value) as never, { least: least * 1000, most: most * 1000 })
  } catch {
    // The same sentence says what a duration looks like.
  }
  problems.push(`${name} must be seconds or a duration such as 90s, from ${least} to ${most} seconds`)
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
    problems.push('SEALWAX_TLS_CERT and SEALWAX_TLS_KEY go together: the paths of two PEM files')
    return undefined
  }
  return readCertificate({ cert, key }, problems, warnings)
}

/** The certificate and its key as the files have them now; undefined and a sentence that names the variable: they cannot be used. */
export function readCertificate(files: Tls['files'], problems: string[], warnings: string[]): Tls | undefined {
  const cert = readFile(files.cert, 'SEALWAX_TLS_CERT', problems)
  const key = readSecretFile(files.key, 'SEALWAX_TLS_KEY', problems, warnings)
  if (cert === undefined || key === undefined) return undefined
  const found =
    problemOf('SEALWAX_TLS_CERT: the file is no certificate in PEM form', { cert }) ??
    problemOf('SEALWAX_TLS_KEY: the file is no private key in PEM form without a passphrase', { key }) ??
    problemOf('SEALWAX_TLS_CERT and SEALWAX_TLS_KEY: the key does not belong to the certificate', { cert, key })
  if (found === undefined) return { files, cert, key }
  problems.push(found)
  return undefined
}

/** The sentence and the reason, if OpenSSL cannot use these. */
function problemOf(sentence: string, parts: { cert?: Buffer; key?: Buffer }): string | undefined {
  try {
    createSecureContext(parts)
    return undefined
  } catch (error) {
    return `${sentence} (${error instanceof Error && 'code' in error ? String(error.code) : 'unusable'})`
  }
}
