import { AuthError } from '../errors.ts'

/** What the application stores with a user: JSON. */
export type Attributes = Readonly<Record<string, unknown>>

/** A change by the application or an administrator. What is left out stays. */
export interface UserChange {
  /** The new e-mail address. It counts as verified unless `emailVerified` is false. */
  readonly email?: string
  /** The new password, which ends all sessions. */
  readonly password?: string
  /** The new name; `null` removes it. */
  readonly name?: string | null
  /**
   * A change of the attributes (JSON Merge Patch, RFC 7396): a member replaces the old one, `null`
   * removes it. `null` for the whole removes all.
   */
  readonly attributes?: Attributes | null
  /** Whether the user has shown that the address is theirs. */
  readonly emailVerified?: boolean
}

/** The longest name in characters. */
const LONGEST_NAME = 100

/** The largest attributes: bytes of JSON, and levels of nesting. */
const MOST_BYTES = 4096
const DEEPEST = 16

/** Line breaks and other control characters, and marks that change the direction of later text. */
const NOT_IN_NAMES = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

/**
 * Returns a name in NFC without surrounding spaces; null for none.
 *
 * @throws {AuthError} `validation_failed`
 */
export function checkName(given: string | null | undefined): string | null {
  if (given === null || given === undefined) return null
  const name = given.normalize('NFC').replace(/^\p{Zs}+|(?<!\p{Zs})\p{Zs}+$/gu, '')
  const fits = name.length > 0 && [...name].length <= LONGEST_NAME && name.isWellFormed()
  if (fits && !NOT_IN_NAMES.test(name) && /[\p{L}\p{N}\p{P}\p{S}]/u.test(name)) return name
  const message = `name must be 1 to ${LONGEST_NAME} visible characters without line breaks, control characters and marks that change the direction of text`
  throw new AuthError('validation_failed', message, { errors: [{ path: '/name', code: 'invalid_name', message }] })
}

/**
 * Checks attributes: a JSON object of at most 4 KiB.
 *
 * @throws {AuthError} `attributes_invalid`
 */
export function checkAttributes(given: unknown): Attributes {
  if (!isObject(given)) throw invalidAttributes('attributes must be a JSON object')
  requireJson(given, 1)
  const bytes = Buffer.byteLength(JSON.stringify(given))
  if (bytes > MOST_BYTES) {
    throw invalidAttributes(`attributes must be at most ${MOST_BYTES} bytes of JSON; these are ${bytes}`)
  }
  return given
}

/**
 * Applies a change to attributes as a JSON Merge Patch (RFC 7396): a member replaces the old one,
 * `null` removes it, and objects are merged. `null` for the whole removes everything.
 *
 * @throws {AuthError} `attributes_invalid`
 */
export function changeAttributes(current: Attributes | null, change: Attributes | null): Attributes | null {
  if (change === null) return null
  return checkAttributes(mergePatch(current, checkAttributes(change)))
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Refuses what JSON cannot hold, and names that change the prototype of objects made from it. */
function requireJson(value: unknown, depth: number): void {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || Number.isFinite(value)) return
  if (depth > DEEPEST) throw invalidAttributes(`attributes must have at most ${DEEPEST} levels of nesting`)
  if (Array.isArray(value)) {
    for (const item of value) requireJson(item, depth + 1)
    return
  }
  if (!isObject(value)) throw invalidAttributes('attributes must contain only what JSON can hold')
  if (Object.hasOwn(value, '__proto__')) throw invalidAttributes('attributes must not have a member named __proto__')
  for (const item of Object.values(value)) requireJson(item, depth + 1)
}

function invalidAttributes(sentence: string): AuthError {
  return new AuthError('attributes_invalid', sentence)
}
