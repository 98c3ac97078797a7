import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Jwk, JwkSetSource, VerifyOptions } from '@sealwax/jwt'
import { createLocalJWKSet, importKey, JwtError, sign, thumbprint, verify } from '@sealwax/jwt'

interface HostileEntry {
  name: string
  token?: string
  tokenRepeat?: [text: string, times: number][]
  keys: JwkSetSource
  options: VerifyOptions & { clock: number }
  expected: 'accept' | 'reject'
  why: string
}

interface RfcExample {
  name: string
  source: string
  jwk: Jwk
  token?: string
  algorithms?: string[]
  payloadText?: string
  privateD?: string
  expectedSignature?: 'valid' | 'reject' | 'valid-if-b64-supported'
  expectedJwt?: { clock: number; result: 'accept' | 'reject'; code?: string }
  expectedThumbprint?: string
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}`, import.meta.url), 'utf8'))
}

/**
 * The codes about a token or a key set: a hostile token must not be refused because of wrong
 * options.
 */
const refusals = /^ERR_JWT_(?!OPTION|KEY$)/

test('verify: has the expected result for every hostile token', () => {
  const { entries } = read('hostile.json') as { entries: HostileEntry[] }
  assert.equal(entries.length, 244)
  const wrong: string[] = []
  let slowest = { name: '', milliseconds: 0 }
  for (const entry of entries) {
    const token = entry.token ?? (entry.tokenRepeat ?? []).map(([text, times]) => text.repeat(times)).join('')
    const started = performance.now()
    const verdict = judge(entry, token)
    const milliseconds = performance.now() - started
    if (milliseconds > slowest.milliseconds) slowest = { name: entry.name, milliseconds }
    if (verdict !== entry.expected) wrong.push(`${entry.name}: ${verdict} (${entry.why})`)
  }
  assert.deepEqual(wrong, [])
  assert.ok(slowest.milliseconds < 250, `${slowest.name} took ${slowest.milliseconds} ms`)
})

function judge({ keys, options, name }: HostileEntry, token: string): string {
  // The vectors were written for limits of 8 KiB and 256 members, which are set by options.
  const { clock, ...given } = options
  const rest = { maxTokenLength: 8192, maxMembers: 256, ...given }
  try {
    verify(token, createLocalJWKSet(keys), { ...rest, currentDate: new Date(clock * 1000) })
    return 'accept'
  } catch (error) {
    if (!(error instanceof JwtError)) return `threw ${String(error)}`
    const unknownAlgorithm = name === 'es256k-on-p256' || name === 'rs1-sha1'
    if (unknownAlgorithm ? error.code === 'ERR_JWT_OPTION' : refusals.test(error.code)) return 'reject'
    return error.code
  }
}

const { examples } = read('rfc-examples.json') as { examples: RfcExample[] }

/** The code with which each published example is refused, if it is. */
const refusedFor: Record<string, string> = {
  'rfc7519-3.1-HS256-expired-now': 'ERR_JWT_EXPIRED',
  'rfc7515-A.4-ES512': 'ERR_JWT_MALFORMED', // the signature is valid; the payload is not a JSON object
  'rfc7515-A.5-none': 'ERR_JWT_ALGORITHM',
  'rfc8037-A.4-EdDSA': 'ERR_JWT_MALFORMED',
  'rfc7797-4.1-b64-true': 'ERR_JWT_MALFORMED',
  'rfc7797-4.2-b64-false-detached': 'ERR_JWT_HEADER',
}

test('there are 11 examples from the RFCs, 9 of them tokens', () => {
  assert.equal(examples.length, 11)
  assert.equal(examples.filter((example) => example.token !== undefined).length, 9)
})

for (const example of examples) {
  const { token, jwk, expectedJwt, expectedThumbprint } = example
  test(`${example.name}: as published`, () => {
    if (expectedThumbprint !== undefined) assert.equal(thumbprint(jwk), expectedThumbprint)
    if (token === undefined || expectedJwt === undefined) return
    const alg = jwk.kty === 'oct' ? 'HS256' : undefined
    const key = importKey(jwk, alg === undefined ? {} : { alg })
    const options: VerifyOptions = {
      issuer: null,
      audience: null,
      typ: null,
      clockTolerance: 0,
      currentDate: new Date(expectedJwt.clock * 1000),
    }
    const code = refusedFor[example.name]
    if (expectedJwt.result === 'accept') {
      assert.equal(code, undefined)
      assert.equal(verify(token, key, options).payload.iss, 'joe')
    } else {
      assert.throws(() => verify(token, key, options), { name: 'JwtError', code: code ?? 'missing from the table' })
    }
    if (example.expectedSignature !== 'valid') return
    const other = token.replace(/.(?=[^.]*\.[^.]*$)/, (last) => (last === 'A' ? 'E' : 'A'))
    assert.throws(() => verify(other, key, options), { name: 'JwtError' }, 'a changed payload must not verify')
  })
}

test('RFC 8037 A.4: the published private key signs as published', () => {
  const example = examples.find(({ name }) => name === 'rfc8037-A.4-EdDSA')
  const d = example?.privateD ?? ''
  const key = importKey({ ...(example?.jwk as Jwk), d })
  const token = sign({ sub: 'a' }, key, { issuer: null, audience: null, typ: null, expiresIn: 60 })
  assert.equal(key.publicKey?.kid, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  assert.equal(
    verify(token, importKey(example?.jwk as Jwk), { issuer: null, audience: null, typ: null }).payload.sub,
    'a',
  )
})
