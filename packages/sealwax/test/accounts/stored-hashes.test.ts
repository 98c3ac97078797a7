import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readHash } from '../../src/accounts/stored-hashes.ts'
import { AuthError } from '../../src/index.ts'
import { HASHES } from './hashes.ts'

/** The message with which a hash is refused, or undefined. */
function refusal(text: string): string | undefined {
  try {
    readHash(text)
    return undefined
  } catch (error) {
    assert.ok(error instanceof AuthError, String(error))
    assert.deepEqual([error.code, error.status], ['password_hash_invalid', 422])
    assert.ok(text.length < 30 || !error.message.includes(text.slice(-20)), 'the message does not repeat the hash')
    return error.message
  }
}

describe('password hashes of other systems', () => {
  for (const [name, format, password, text] of HASHES) {
    it(`${name}: the right password matches, others do not`, async () => {
      const hash = readHash(text)
      assert.equal(hash.format, format)
      assert.equal(await hash.matches(password), true)
      assert.equal(await hash.matches(`${password} `), false)
      assert.equal(await hash.matches(''), false)
      assert.equal(readHash(hash.text).text, hash.text, 'what is stored can be read again')
    })
  }

  it('passlib PBKDF2 and PHC PBKDF2 are one hash in two notations', async () => {
    // The vector of Django with 1000 rounds of SHA-1, whose salt is text.
    const salt = Buffer.from('seasalt').toString('base64').replace(/=+$/, '')
    const phc = `$pbkdf2-sha1$i=1000$${salt}$iQvkNOF1wEL4Khh8eogJ8rUhipM`
    for (const text of [phc, phc.replace('i=', ''), phc.replace('-sha1', ''), phc.replaceAll('+', '.')]) {
      assert.equal(await readHash(text).matches('correct horse'), true, text)
    }
  })

  it('bcrypt: 72 bytes count, and U+0000 never matches', async () => {
    const hash = readHash('$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe')
    assert.equal(await hash.matches('a'.repeat(72)), true)
    assert.equal(await hash.matches(`${'a'.repeat(72)}b`), true, 'as in the system it comes from')
    assert.equal(await hash.matches('a'.repeat(71)), false)
    assert.equal(await hash.matches(`${'a'.repeat(72)}\0`), false)
  })

  it('refuses unknown and malformed hashes', () => {
    const unknown = [
      '',
      'x',
      '5f4dcc3b5aa765d61d8327deb882cf99',
      'sha256$salt$00',
      '$6$salt$hash',
      '$1$salt$hash',
      'hash',
    ]
    for (const text of unknown) assert.equal(refusal(text), 'The format of the password hash is unknown', text)
    const malformed: Record<string, string> = {
      '$2x$10$abcdefghijklmnopqrstuu23JPZtHcGhwXSF41f93o/7vBdDut3Xu': 'bcrypt',
      $2y$10$abcdefghijklmnopqrstuu: 'bcrypt',
      'pbkdf2:sha256$bx5IB7dO2G8cgOUk$bd9ad62073ed3f72aaf043428e2ce2a4': 'PBKDF2 (werkzeug)',
      'pbkdf2:md5:1000$bx5IB7dO2G8cgOUk$bd9ad62073ed3f72aaf043428e2ce2a4': 'PBKDF2 (werkzeug)',
      '$fbscrypt$v=1,n=14,r=8,p=1$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9A==': 'scrypt (Firebase)',
      '$argon2id$v=19$m=4096,t=2,p=2,keyid=AAAA$pnce8LVovk3gDEC2IoqRxQ$KmovsBBAm0+DL8A8poPajQ': 'argon2',
      '$argon2x$v=19$m=4096,t=2,p=2$pnce8LVovk3gDEC2IoqRxQ$KmovsBBAm0+DL8A8poPajQ': 'argon2',
      $P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r: 'phpass',
    }
    for (const [text, format] of Object.entries(malformed)) {
      assert.equal(refusal(text), `The password hash begins as ${format}, but is malformed`, text)
    }
    assert.equal(refusal(`$2y$${'1'.repeat(2000)}`), 'The password hash is longer than 1024 characters')
    const json = ['{}', '{"credentialData":"{","secretData":"{}"}', '{"credentialData":{"algorithm":"hmac"}}', '{']
    for (const text of json) assert.match(String(refusal(text)), /not a credential of Keycloak/)
    assert.match(String(refusal('{"credentialData":{"algorithm":"pbkdf2-sha256","hashIterations":5}}')), /malformed/)
    assert.match(String(refusal('{"credentialData":{"algorithm":"argon2","hashIterations":5}}')), /malformed/)
  })

  it('refuses parameters that would take too much memory or time', () => {
    const salt = 'pnce8LVovk3gDEC2IoqRxQ$KmovsBBAm0+DL8A8poPajZ9QLBJdrxL6rRBkIpiUIBs'
    const hex = `salt$${'ab'.repeat(64)}`
    const hostile: Record<string, RegExp> = {
      [`$argon2id$v=19$m=4194304,t=1,p=1$${salt}`]: /memory \(m\) .* must be 8 to 262144 \(got 4194304\)/,
      [`$argon2id$v=19$m=4,t=1,p=1$${salt}`]: /memory \(m\)/,
      [`$argon2id$v=19$m=4096,t=4294967295,p=1$${salt}`]: /passes \(t\)/,
      [`$argon2id$v=19$m=262144,t=5,p=1$${salt}`]: /memory times passes/,
      [`$argon2id$v=19$m=4096,t=0,p=1$${salt}`]: /passes/,
      [`$argon2id$v=19$m=4096,t=1,p=255$${salt}`]: /lanes/,
      [`$argon2id$v=19$m=4096,t=1,p=1$AAAA$${'A'.repeat(43)}`]: /bytes of the salt/,
      [`$argon2id$v=19$m=4096,t=1,p=1$${'A'.repeat(22)}$AAAA`]: /bytes of the hash/,
      $2b$16$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe: /cost .* must be 4 to 15 \(got 16\)/,
      $2b$03$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe: /cost/,
      bcrypt$$2b$31$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe: /cost/,
      [`scrypt:1048576:8:1$${hex}`]: /memory \(128 · N · r\)/,
      [`scrypt:32767:8:1$${hex}`]: /power of two/,
      [`scrypt:1:8:1$${hex}`]: /power of two/,
      [`scrypt:32768:8:16$${hex}`]: /work \(N/,
      [`scrypt:1024:8:9999$${hex}`]: /parallelism/,
      [`scrypt:2:9999:1$${hex}`]: /block size/,
      [`pbkdf2:sha256:4000001$salt$${'ab'.repeat(32)}`]: /rounds/,
      [`pbkdf2:sha1:1000001$salt$${'ab'.repeat(64)}`]: /rounds .* \(got 4000004\)/,
      [`pbkdf2:sha256:0$salt$${'ab'.repeat(32)}`]: /rounds/,
      pbkdf2_sha256$1000$salt$AAAA: /bytes of the hash/,
      '$fbscrypt$v=1,n=30,r=8,p=1,sk=AAAA$AAAA$AAAA': /memory cost/,
      '$fbscrypt$v=1,n=14,r=8,p=1,sk=AAAAAAAA$AAAA$AAAA': /bytes of the hash/,
      $P$SIQRaTwmfeRo7ud9Fh4E2PdI0S3rPL0: /exponent/,
      '$P$zIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0': /exponent/,
    }
    for (const [text, reason] of Object.entries(hostile)) assert.match(String(refusal(text)), reason, text)
  })

  it('a changed hash is refused, or checked without an error', async () => {
    const cheap = HASHES.filter(([, , , text]) => !/m=65536|1000000|210000|32768|\$10\$/.test(text))
    assert.ok(cheap.length >= 12)
    const changed = fc.record({
      entry: fc.constantFrom(...cheap),
      place: fc.double({ min: 0, max: 0.999, noNaN: true }),
      character: fc.constantFrom(...'$:,=./+-_aZ09{"\0é'),
      cut: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(changed, async ({ entry: [, , password, text], place, character, cut }) => {
        const at = Math.floor(place * text.length)
        const other = cut ? text.slice(0, at) : text.slice(0, at) + character + text.slice(at + 1)
        let hash: ReturnType<typeof readHash>
        try {
          hash = readHash(other)
        } catch (error) {
          assert.ok(error instanceof AuthError, String(error))
          return
        }
        assert.equal(typeof (await hash.matches(password)), 'boolean')
      }),
      { numRuns: 150 },
    )
  })

  it('phpass lets other work run', async () => {
    const hash = readHash('$P$EIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0')
    let turns = 0
    const turn = () => {
      turns += 1
      if (!done) setImmediate(turn)
    }
    let done = false
    setImmediate(turn)
    await hash.matches('test12345')
    done = true
    assert.ok(turns >= 65_536 / 512, String(turns))
  })
})
