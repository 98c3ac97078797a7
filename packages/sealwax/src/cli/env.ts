import { readFileSync } from 'node:fs'
import { checkOption } from '../config.ts'
import type { AuthOptions } from '../options.ts'

/** What the environment says, checked. */
export interface Environment {
  readonly auth: Omit<AuthOptions, 'store' | 'logger' | 'onEvent' | 'loadSubject' | 'now'>
  readonly databaseUrl: string
  readonly host: string
  readonly port: number
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
  readonly logLevel: string
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
  SEALWAX_TRUST_PROXY: ['trustProxy', (value: string) => (/^\d+$/.test(value) ? Number(value) : list(value))],
  SEALWAX_REGISTRATION: ['registration', text],
  SEALWAX_ADMIN_ROLE: ['adminRole', text],
  SEALWAX_MIGRATE: ['migrate', text],
} as const satisfies Record<string, readonly [keyof AuthOptions, Parse]>

/** Settings of the server around it. */
const SETTINGS = [
  'SEALWAX_DATABASE_URL',
  'SEALWAX_HOST',
  'SEALWAX_PORT',
  'SEALWAX_TLS_CERT',
  'SEALWAX_TLS_KEY',
  'SEALWAX_LOG_LEVEL',
] as const

/** Variables that hold a secret may be given as a file: the variable's name with `_FILE`. */
const SECRETS: readonly string[] = ['SEALWAX_SECRET', 'SEALWAX_DATABASE_URL']

/** All variables, for documents and tests. */
export const VARIABLES: readonly string[] = [...Object.keys(OPTIONS), ...SETTINGS]
export const OPTION_VARIABLES: Readonly<Record<string, readonly [keyof AuthOptions, Parse]>> = OPTIONS

const REQUIRED = {
  SEALWAX_ISSUER: 'the public URL of this server, such as https://auth.example.com',
  SEALWAX_AUDIENCE: 'what the tokens are for, such as https://api.example.com',
  SEALWAX_SECRET: 'make one with: openssl rand -base64 48',
} as const

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/**
 * Reads the environment: the only place that does. Throws `EnvironmentError` with a sentence for every problem at once;
 * none repeats the value of a secret.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const problems: string[] = []
  const get = (name: string): string | undefined => settingOf(env, name, problems)
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
    databaseUrl: databaseUrl(get('SEALWAX_DATABASE_URL') ?? 'sqlite:sealwax.db', problems),
    host: get('SEALWAX_HOST') ?? '127.0.0.1',
    port: port(get('SEALWAX_PORT') ?? '5000', problems),
    tls: tls(get('SEALWAX_TLS_CERT'), get('SEALWAX_TLS_KEY'), problems),
    logLevel: logLevel(get('SEALWAX_LOG_LEVEL') ?? 'info', problems),
  }
  if (problems.length > 0) throw new EnvironmentError(problems)
  return { auth: auth as unknown as Environment['auth'], ...settings }
}

function isSet(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  return (env[name] ?? '') !== '' || (SECRETS.includes(name) && (env[`${name}_FILE`] ?? '') !== '')
}

function settingOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  problems: string[],
): string | undefined {
  const value = env[name]
  const file = SECRETS.includes(name) ? env[`${name}_FILE`] : undefined
  if (file === undefined || file === '') return value === '' ? undefined : value
  if (value !== undefined && value !== '') problems.push(`${name} and ${name}_FILE are both set; keep one`)
  return readFile(file, `${name}_FILE`, problems)?.toString().trim()
}

function readFile(path: string, name: string, problems: string[]): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    problems.push(`${name}: the file ${path} cannot be read (${reason})`)
    return undefined
  }
}

function refuseUnknown(env: Readonly<Record<string, string | undefined>>, problems: string[]): void {
  const known = new Set([...VARIABLES, ...SECRETS.map((name) => `${name}_FILE`)])
  for (const name of Object.keys(env)) {
    if (name.startsWith('SEALWAX_') && !known.has(name)) problems.push(`${name} is not a setting of this version`)
  }
}

function databaseUrl(value: string, problems: string[]): string {
  if (!/^sqlite:.+/.test(value) && !/^postgres(ql)?:\/\/.+/.test(value)) {
    problems.push('SEALWAX_DATABASE_URL must be like sqlite:sealwax.db or postgres://user@host/database')
  }
  return value
}

function port(value: string, problems: string[]): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number > 65_535) problems.push('SEALWAX_PORT must be a number from 0 to 65535')
  return number
}

function logLevel(value: string, problems: string[]): string {
  if (!LOG_LEVELS.includes(value)) problems.push(`SEALWAX_LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`)
  return value
}

function tls(cert: string | undefined, key: string | undefined, problems: string[]): Environment['tls'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    problems.push('SEALWAX_TLS_CERT and SEALWAX_TLS_KEY go together: the paths of two PEM files')
    return undefined
  }
  const files = [readFile(cert, 'SEALWAX_TLS_CERT', problems), readFile(key, 'SEALWAX_TLS_KEY', problems)] as const
  return files[0] && files[1] && { cert: files[0], key: files[1] }
}
