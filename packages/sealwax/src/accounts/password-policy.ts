import { isIP } from 'node:net'
import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import { breachedPasswords } from './breached-passwords.ts'

/** For whom a password is chosen. Their words do not count towards its length. */
export interface PasswordOwner {
  /** The e-mail address. */
  readonly email?: string | undefined
  /** The name. */
  readonly name?: string | null | undefined
}

/** Which passwords may be chosen. A password that exists already is never checked. */
export interface PasswordPolicy {
  /**
   * Checks a new password, in NFC.
   *
   * @throws {AuthError} `password_too_short`, `password_too_long`, `password_too_common`,
   * `password_too_personal`, `password_breached`
   */
  check(password: string, owner: PasswordOwner): Promise<void>
}

/** How many characters (code points) a password may have. */
export const PASSWORD_MOST = 256

/** Creates the policy of a server. */
export function createPasswordPolicy(context: Pick<Context, 'config' | 'log' | 'elapsed'>): PasswordPolicy {
  const { issuer, passwordMinLength: least, passwordBreachUrl } = context.config
  const isBreached = passwordBreachUrl === undefined ? undefined : breachedPasswords(passwordBreachUrl, context)
  const site = wordsOfHost(new URL(issuer).hostname)
  return {
    async check(password, owner) {
      checkLength(password, least)
      if (isCommon(password, await commonPasswords())) {
        const detail = 'The password is common, or a common one repeated or with digits and signs added'
        throw new AuthError('password_too_common', detail)
      }
      if (isPersonal(password, owner, site, least)) {
        const detail = `The password must have ${least} characters besides the address, the name and the name of this site`
        throw new AuthError('password_too_personal', detail)
      }
      if (await isBreached?.(password)) {
        throw new AuthError('password_breached', 'The password is in a published list of stolen passwords')
      }
    },
  }
}

function checkLength(password: string, least: number): void {
  const length = [...password].length
  if (length < least) {
    throw new AuthError('password_too_short', `The password must have at least ${least} characters`)
  }
  if (length > PASSWORD_MOST) {
    throw new AuthError('password_too_long', `The password must have at most ${PASSWORD_MOST} characters`)
  }
}

let list: Promise<ReadonlySet<string>> | undefined

/** The list of common passwords, loaded at the first call. */
export function commonPasswords(): Promise<ReadonlySet<string>> {
  list ??= import('./password-list.ts').then(({ COMMON_PASSWORDS }) => new Set(COMMON_PASSWORDS.split(' ')))
  return list
}

/** Text as it is compared: compatibility characters and capitals make no difference. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/**
 * With this many digits and signs, which are neither a sequence nor repeated, a common word is only
 * a small part of the password.
 */
const STRONG_PADDING = 12

/** Below this, a repeated text is as easy to guess as the text itself. */
const STRONG_UNIT = 8

/** Whether a password is guessed early: see `docs/passwords.md`. */
export function isCommon(password: string, common: ReadonlySet<string>): boolean {
  const folded = fold(password)
  if (new Set(folded).size < 4 || isGuessable(folded, common)) return true
  const core = /\p{L}(.*\p{L})?/su.exec(folded)?.[0] ?? ''
  const letters = folded.replace(/\P{L}/gu, '')
  return [[core, folded.replace(core, '')] as const, [letters, folded.replace(/\p{L}/gu, '')] as const].some(
    ([word, padding]) =>
      word.length >= 4 &&
      isGuessable(word, common) &&
      (padding.length < STRONG_PADDING || isGuessable(padding, common)),
  )
}

function isGuessable(text: string, common: ReadonlySet<string>): boolean {
  const unit = repeatedUnit(text)
  if (unit !== text && unit.length < STRONG_UNIT) return true
  return [unit, withoutDisguise(unit)].some((form) => common.has(form) || isSequence(form))
}

/** Returns what a text repeats at least one and a half times; else the text. */
function repeatedUnit(text: string): string {
  // The failure function of Knuth, Morris and Pratt: the longest border of each prefix.
  const borders = [0]
  for (let i = 1, border = 0; i < text.length; i += 1) {
    while (border > 0 && text[i] !== text[border]) border = borders[border - 1] as number
    if (text[i] === text[border]) border += 1
    borders.push(border)
  }
  const period = text.length - (borders.at(-1) as number)
  return period * 3 <= text.length * 2 ? text.slice(0, period) : text
}

const DISGUISES: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '9': 'g' },
  ...{ '@': 'a', $: 's', '!': 'i', '+': 't', '€': 'e' },
}

/** Returns the word behind digits and signs that look like letters: `p4$$w0rd`. */
function withoutDisguise(text: string): string {
  return text.replace(/[01345789@$!+€]/g, (sign) => DISGUISES[sign] ?? sign)
}

/** The alphabet, digits and keyboards, twice, so that a run may begin anywhere; and backwards. */
const SEQUENCES = [
  ...[
    'abcdefghijklmnopqrstuvwxyz',
    '0123456789',
    '1234567890',
    'qwertyuiopasdfghjklzxcvbnm',
    'poiuytrewqlkjhgfdsamnbvcxz',
  ],
  ...['qwertzuiopasdfghjklyxcvbnm', 'azertyuiopqsdfghjklmwxcvbn'],
  ...['1q2w3e4r5t6y7u8i9o0p', '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p'],
].flatMap((row) => [row.repeat(2), [...row.repeat(2)].reverse().join('')])

function isSequence(text: string): boolean {
  return text.length >= 4 && SEQUENCES.some((sequence) => sequence.includes(text))
}

/** Shorter words occur inside other words. */
const SHORTEST_WORD = 4

/**
 * Whether a password contains the address, or is too short without the words that an attacker knows
 * about this user and site.
 */
function isPersonal(password: string, { email, name }: PasswordOwner, site: readonly string[], least: number): boolean {
  const folded = fold(password)
  const address = fold(email ?? '')
  if (address !== '' && folded.includes(address)) return true
  const at = address.lastIndexOf('@')
  const local = address.slice(0, Math.max(at, 0))
  const known = [
    local,
    ...local.split(/[._+-]/),
    ...wordsOfHost(address.slice(at + 1)),
    ...fold(name ?? '').split(/\s+/),
  ]
  // The longest first: they may contain shorter ones.
  const words = [...known, ...site].filter((word) => word.length >= SHORTEST_WORD).sort((a, b) => b.length - a.length)
  const rest = words.reduce((text, word) => text.replaceAll(word, ''), folded)
  return rest !== folded && [...rest].length < least
}

/** Returns the labels of a host name without the top-level domain. */
function wordsOfHost(host: string): readonly string[] {
  const labels = host.toLowerCase().split('.')
  if (isIP(host) !== 0 || host.startsWith('[')) return []
  return labels.length > 1 ? labels.slice(0, -1) : labels
}
