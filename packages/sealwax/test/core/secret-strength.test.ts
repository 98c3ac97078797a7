import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { findWeakness } from '../../src/core/secret-strength.ts'
import { AuthError, type AuthOptions } from '../../src/index.ts'
import { configure } from '../../src/options.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { SECRET } from '../server.ts'

const weakness = (secret: string) => findWeakness(secret, { encrypts: true })

const WEAK: Record<string, string[]> = {
  'is a well-known secret': [
    'secret'.repeat(8),
    'changeme-changeme-changeme-changeme',
    'your-256-bit-secret'.repeat(2),
  ],
  'repeats a few characters': [
    'x'.repeat(64),
    'abcabcabcabcabcabcabcabcabcabcabcabc',
    '0101010101010101010101010101010101',
  ],
  'repeats itself': [
    ...['aB3$xY9!aB3$xY9!aB3$xY9!aB3$xY9!', 'deadbeefcafe1234deadbeefcafe1234', 'aB3$aB3$aB3$xY9!xY9!xY9!kL2#kL2#kL2#'],
    '00000000-0000-0000-0000-000000000000-abcdef1234',
  ],
  'reads like a placeholder': [
    ...['replace-this-with-a-long-random-secret', 'ReplaceThisWithALongRandomSecretValue123'],
    ...['replace this with your own long random secret in production', 'do-not-use-in-production-please-change'],
    ...['do not use this secret in production, ever!!', 'this-is-a-very-long-secret-key-for-jwt-signing'],
    ...['insert-your-own-secret-here-at-least-32-chars', 'ThisIsMySuperSecretKeyForSigningTokens!!'],
    ...['my-app-name-jwt-signing-key-2024-production', 'correct horse battery staple correct horse'],
    'SEALWAX_SECRET_EXAMPLE_VALUE_FOR_TESTING',
  ],
  'is a row of letters, digits or keys': [
    ...['0123456789abcdef0123456789abcdef', '12345678901234567890123456789012', 'abcdefghijklmnopqrstuvwxyz012345'],
    ...[
      'zyxwvutsrqponmlkjihgfedcba9876543210',
      'qwertyuiopasdfghjklzxcvbnm123456',
      'test-key-0123456789-abcdefghijklmnop',
    ],
    ...['1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.', 'aaaaaaaaaabbbbbbbbbbccccccccccddddeefghij'],
  ],
}

/** Secrets as the docs and other tools make them. */
const MADE: Record<string, () => string> = {
  'openssl rand -hex 16': () => randomBytes(16).toString('hex'),
  'openssl rand -hex 24': () => randomBytes(24).toString('hex'),
  'openssl rand -hex 32': () => randomBytes(32).toString('hex'),
  'HEX in capitals': () => randomBytes(16).toString('hex').toUpperCase(),
  'openssl rand -base64 24': () => randomBytes(24).toString('base64'),
  'openssl rand -base64 32': () => randomBytes(32).toString('base64'),
  'openssl rand -base64 48': () => randomBytes(48).toString('base64'),
  base64url: () => randomBytes(24).toString('base64url'),
  'a UUID': () => randomUUID(),
  'two UUIDs': () => randomUUID() + randomUUID(),
  'decimal digits': () =>
    BigInt(`0x${randomBytes(16).toString('hex')}`)
      .toString()
      .padStart(39, '7'),
}

describe('the server secret', () => {
  for (const [kind, secrets] of Object.entries(WEAK)) {
    it(`a weak secret is refused because it ${kind}`, () => {
      for (const secret of secrets) assert.equal(weakness(secret), kind, secret)
    })
  }

  for (const [how, make] of Object.entries(MADE)) {
    it(`a random secret is never refused: ${how}`, () => {
      for (let i = 0; i < 4000; i += 1) {
        const secret = make()
        assert.equal(weakness(secret), undefined, secret)
      }
    })
  }

  it('a word or a row among random characters is accepted', () => {
    for (const secret of [
      ...[SECRET, 'gT5-bench-only-Wq8Zr2Nc7Lk4Xv9Jd3Hs', 'prod-secret-2026-f81d4fae7dec11d0a76500a0c91e6bf6'],
      ...['4815162342-3141592653-2718281828-1618', 'abcdefgh-9fQx7Lm2Rt6Vb8Yc1Nd3kZ4w'],
    ]) {
      assert.equal(weakness(secret), undefined, secret)
    }
  })

  it('a weak former secret still decrypts, so that it can be replaced', () => {
    const options = { issuer: 'https://auth.example.com', audience: 'api', store: sqliteStore('never-opened.db') }
    const weak = '0123456789abcdef0123456789abcdef'
    configure({ ...options, secret: [SECRET, weak] } as AuthOptions)
    for (const secret of [weak, [weak, SECRET], [SECRET, 'too-brief'], [SECRET, 'x'.repeat(40)]]) {
      assert.throws(
        () => configure({ ...options, secret } as AuthOptions),
        (error) => {
          assert.ok(error instanceof AuthError && error.code === 'config_invalid')
          assert.match(
            error.message,
            /^createAuth: secret must be at least 32 .+openssl rand -base64 48 \(got one that .+\)$/,
          )
          return [secret].flat().every((value) => !error.message.includes(value))
        },
      )
    }
  })
})
