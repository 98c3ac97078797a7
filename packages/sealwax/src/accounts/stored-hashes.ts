import { AuthError } from '../errors.ts'
import { HASH_FORMATS, hashRefused, type Matches } from './hash-formats.ts'

/** A password hash that can be checked. */
export interface PasswordHash {
  /** The name of the format in reports. */
  readonly format: string
  /** What is stored. */
  readonly text: string
  /** Returns whether a password has this hash. */
  readonly matches: Matches
}

/** No hash of these formats is longer. */
const MOST_CHARACTERS = 1024

/**
 * Reads a hash of this or another system.
 *
 * @throws {AuthError} `password_hash_invalid` when the format is unknown, or a check would take too
 * much memory or time
 */
export function readHash(given: string): PasswordHash {
  if (given.length > MOST_CHARACTERS)
    throw hashRefused(`The password hash is longer than ${MOST_CHARACTERS} characters`)
  const text = given.startsWith('{') ? fromKeycloak(given) : given.replace(/^argon2(?=\$argon2)/, '')
  const format = HASH_FORMATS.find(({ begins }) => begins.test(text))
  if (format === undefined) throw hashRefused('The format of the password hash is unknown')
  const [, ...parts] = format.pattern.exec(text) ?? []
  if (parts.length === 0) throw hashRefused(`The password hash begins as ${format.name}, but is malformed`)
  return { format: format.name, text, matches: format.read(parts, text) }
}

/** Returns the hash, or undefined when it cannot be used. */
export function readStoredHash(text: string): PasswordHash | undefined {
  try {
    return readHash(text)
  } catch (error) {
    if (error instanceof AuthError) return undefined
    throw error
  }
}

type Json = Readonly<Record<string, unknown>>

/**
 * Returns the PHC string for a credential of Keycloak: an object with `credentialData` and
 * `secretData`, each an object or the JSON text of one.
 */
function fromKeycloak(given: string): string {
  const credential = parseObject(given)
  const secret = parseObject(credential?.secretData)
  const data = parseObject(credential?.credentialData)
  const { algorithm, hashIterations: rounds, additionalParameters } = data ?? {}
  const [salt, value] = [unpadded(secret?.salt), unpadded(secret?.value)]
  if (algorithm === 'argon2') {
    const extra = parseObject(additionalParameters)
    const [type, version, memory, lanes] = ['type', 'version', 'memory', 'parallelism'].map((name) => {
      const listed = extra?.[name]
      return String(Array.isArray(listed) ? listed[0] : listed)
    })
    const v = version === '1.0' ? 16 : 19
    return `$argon2${type}$v=${v}$m=${memory},t=${rounds},p=${lanes}$${salt}$${value}`
  }
  const digest = /^pbkdf2(-sha(?:1|256|512))?$/.exec(String(algorithm))
  if (digest === null) throw hashRefused('The password hash is JSON, but not a credential of Keycloak')
  return `$pbkdf2${digest[1] ?? '-sha1'}$i=${rounds}$${salt}$${value}`
}

function parseObject(value: unknown): Json | undefined {
  try {
    const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value
    return typeof parsed === 'object' && parsed !== null ? (parsed as Json) : undefined
  } catch {
    return undefined
  }
}

function unpadded(value: unknown): string {
  return typeof value === 'string' ? value.replace(/=+$/, '') : ''
}
