import { createCipheriv, createHash, createHmac, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { verify as verifyArgon2 } from '@node-rs/argon2'
import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import { AuthError } from '../errors.ts'
import { phpass } from './phpass.ts'

/** Returns whether a password has the hash. The work is done in threads, or in short steps. */
export type Matches = (password: string) => Promise<boolean>

/** A format of password hashes. */
export interface HashFormat {
  /** The name in reports. */
  readonly name: string
  /** What every hash of the format begins with. */
  readonly begins: RegExp
  /** All of a hash. */
  readonly pattern: RegExp
  /**
   * Reads the parts of a hash.
   *
   * @throws {AuthError} `password_hash_invalid` when checking a password would take too much memory
   * or time
   */
  read(parts: readonly string[], text: string): Matches
}

/** At most 256 MiB, which a few simultaneous log-ins must not exceed by much. */
const MOST_MEMORY = 256 * 1024 * 1024

/** What one check may take: one to two seconds of a core. */
const MOST = {
  argon2Blocks: 2 ** 20,
  bcryptCost: 15,
  scryptBlocks: 2 ** 21,
  pbkdf2Rounds: 4_000_000,
  phpassExponent: 16,
}

/** The error for a hash that cannot be used. It does not contain the hash. */
export function hashRefused(detail: string): AuthError {
  return new AuthError('password_hash_invalid', detail)
}

const B64 = '[A-Za-z0-9+/_-]+={0,2}'

/** All formats, by what they begin with. */
export const HASH_FORMATS: readonly HashFormat[] = [
  {
    name: 'argon2',
    begins: /^\$argon2/,
    pattern:
      /^\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/,
    read([m, t, p, salt, hash], text) {
      const [memory, passes, lanes] = [Number(m), Number(t), Number(p)]
      within('memory (m)', memory, 8 * Math.max(lanes, 1), MOST_MEMORY / 1024)
      within('passes (t)', passes, 1, MOST.argon2Blocks)
      within('lanes (p)', lanes, 1, 16)
      within('memory times passes (m · t)', memory * passes, 1, MOST.argon2Blocks)
      within('bytes of the salt', bytes(salt).length, 8, 64)
      within('bytes of the hash', bytes(hash).length, 12, 64)
      const isExact = [salt, hash].every((part) => bytes(part).toString('base64').replace(/=+$/, '') === part)
      if (!isExact) throw hashRefused('The base64 of the password hash is not canonical')
      return (password) => verifyArgon2(text, password)
    },
  },
  {
    name: 'bcrypt',
    begins: /^\$2/,
    // 2x is a faulty variant of old PHP. The last digit of the salt has two bits.
    pattern: /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}$/,
    read: ([cost], text) => bcrypt(cost, text, (password) => password),
  },
  {
    name: 'bcrypt (Django)',
    begins: /^bcrypt\$/,
    pattern: /^bcrypt\$(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31})$/,
    read: ([hash = '', cost]) => bcrypt(cost, hash, (password) => password),
  },
  {
    name: 'bcrypt over SHA-256 (Django)',
    begins: /^bcrypt_sha256\$/,
    pattern: /^bcrypt_sha256\$(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31})$/,
    read: ([hash = '', cost]) => bcrypt(cost, hash, (password) => createHash('sha256').update(password).digest('hex')),
  },
  {
    name: 'bcrypt over SHA-384 (WordPress)',
    begins: /^\$wp/,
    pattern: /^\$wp(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31})$/,
    read: ([hash = '', cost]) =>
      bcrypt(cost, hash, (password) => createHmac('sha384', 'wp-sha384').update(password).digest('base64')),
  },
  {
    name: 'scrypt (werkzeug)',
    begins: /^scrypt:/,
    pattern: /^scrypt:(\d{1,8}):(\d{1,4}):(\d{1,4})\$([^$]{1,128})\$([0-9a-f]{128})$/,
    read: ([n, r, p, salt = '', hash = '']) =>
      scryptMatches({ n: Number(n), r: Number(r), p: Number(p) }, Buffer.from(salt), Buffer.from(hash, 'hex')),
  },
  {
    name: 'scrypt (Django)',
    begins: /^scrypt\$/,
    pattern: new RegExp(`^scrypt\\$(\\d{1,8})\\$([^$]{1,128})\\$(\\d{1,4})\\$(\\d{1,4})\\$(${B64})$`),
    read: ([n, salt = '', r, p, hash]) =>
      scryptMatches({ n: Number(n), r: Number(r), p: Number(p) }, Buffer.from(salt), bytes(hash)),
  },
  {
    name: 'scrypt (Better Auth)',
    begins: /^[0-9a-f]{32}:/,
    pattern: /^([0-9a-f]{32}):([0-9a-f]{128})$/,
    read([salt = '', hash = '']) {
      // The hexadecimal digits of the salt are the salt.
      const matches = scryptMatches({ n: 16_384, r: 16, p: 1 }, Buffer.from(salt), Buffer.from(hash, 'hex'))
      return (password) => matches(password.normalize('NFKC'))
    },
  },
  {
    name: 'scrypt (Firebase)',
    begins: /^\$fbscrypt/,
    pattern: new RegExp(
      `^\\$fbscrypt\\$v=1,n=(\\d{1,2}),r=(\\d{1,4}),p=(\\d{1,4})(?:,ss=(${B64}))?,sk=(${B64})\\$(${B64})\\$(${B64})$`,
    ),
    read([n, r, p, separator, signer, salt, hash]) {
      within('memory cost (n)', Number(n), 1, 20)
      const cost = { n: 2 ** Number(n), r: Number(r), p: Number(p) }
      const [key, expected] = [bytes(signer), bytes(hash)]
      within('bytes of the hash', expected.length, key.length, key.length)
      const derive = scryptOf(cost, Buffer.concat([bytes(salt), bytes(separator)]), 32)
      return async (password) => {
        const cipher = createCipheriv('aes-256-ctr', await derive(password), Buffer.alloc(16))
        return timingSafeEqual(cipher.update(key), expected)
      }
    },
  },
  {
    name: 'PBKDF2 (werkzeug)',
    begins: /^pbkdf2:/,
    pattern: /^pbkdf2:(sha1|sha256|sha512):(\d{1,9})\$([^$]{1,128})\$([0-9a-f]{40,128})$/,
    read: ([digest, rounds, salt = '', hash = '']) =>
      pbkdf2Matches(digest, Number(rounds), Buffer.from(salt), Buffer.from(hash, 'hex')),
  },
  {
    name: 'PBKDF2 (Django)',
    begins: /^pbkdf2_/,
    pattern: new RegExp(`^pbkdf2_(sha1|sha256)\\$(\\d{1,9})\\$([^$]{1,128})\\$(${B64})$`),
    read: ([digest, rounds, salt = '', hash]) => pbkdf2Matches(digest, Number(rounds), Buffer.from(salt), bytes(hash)),
  },
  {
    name: 'PBKDF2',
    begins: /^\$pbkdf2/,
    // With `i=` in the PHC format; without it, and with a dot for a plus, as passlib writes it.
    pattern:
      /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,9})(?:,l=\d{1,3})?\$([A-Za-z0-9+/.]+={0,2})\$([A-Za-z0-9+/.]+={0,2})$/,
    read: ([digest, rounds, salt = '', hash = '']) =>
      pbkdf2Matches(
        digest || 'sha1',
        Number(rounds),
        bytes(salt.replaceAll('.', '+')),
        bytes(hash.replaceAll('.', '+')),
      ),
  },
  {
    name: 'phpass',
    begins: /^\$[PH]\$/,
    pattern: /^\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{22})$/,
    read([rounds = '', salt = '', hash = '']) {
      const exponent = phpass.digits.indexOf(rounds)
      within('exponent of the rounds', exponent, 7, MOST.phpassExponent)
      return async (password) =>
        same(Buffer.from(await phpass.digest(password, salt, 2 ** exponent)), Buffer.from(hash))
    },
  },
]

function within(what: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return
  const allowed = least === most ? `${most}` : `${least} to ${most}`
  throw hashRefused(`The ${what} of the password hash must be ${allowed} (got ${value})`)
}

/** Decodes base64 in either alphabet, with or without padding. */
function bytes(text = ''): Buffer {
  return Buffer.from(text, 'base64')
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function bcrypt(cost: string | undefined, hash: string, prepare: (password: string) => string): Matches {
  within('cost', Number(cost), 4, MOST.bcryptCost)
  // Implementations disagree about U+0000: many stop there.
  return async (password) => !password.includes('\0') && verifyBcrypt(prepare(password), hash)
}

interface ScryptCost {
  readonly n: number
  readonly r: number
  readonly p: number
}

const runScrypt = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

function scryptOf({ n, r, p }: ScryptCost, salt: Buffer, length: number): (password: string) => Promise<Buffer> {
  if (n < 2 || !Number.isInteger(Math.log2(n))) throw hashRefused('N of the password hash must be a power of two')
  within('block size (r)', r, 1, 64)
  within('parallelism (p)', p, 1, 16)
  within('memory (128 · N · r)', 128 * n * r, 1, MOST_MEMORY)
  within('work (N · r · p)', n * r * p, 1, MOST.scryptBlocks)
  // OpenSSL also counts what it needs for each lane.
  return (password) => runScrypt(password, salt, length, { N: n, r, p, maxmem: 2 * MOST_MEMORY })
}

function scryptMatches(cost: ScryptCost, salt: Buffer, expected: Buffer): Matches {
  within('bytes of the hash', expected.length, 32, 64)
  const derive = scryptOf(cost, salt, expected.length)
  return async (password) => same(await derive(password), expected)
}

const runPbkdf2 = promisify(pbkdf2)
const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha512: 64 }

function pbkdf2Matches(digest = '', rounds: number, salt: Buffer, expected: Buffer): Matches {
  within('bytes of the salt', salt.length, 1, 128)
  within('bytes of the hash', expected.length, 16, 64)
  const blocks = Math.ceil(expected.length / (DIGEST_BYTES[digest] ?? 1))
  within('rounds', rounds * blocks, 1, MOST.pbkdf2Rounds)
  return async (password) => same(await runPbkdf2(password, salt, rounds, expected.length, digest), expected)
}
