import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as jwt from '@sealwax/jwt'
import { verify } from '@sealwax/jwt'
import { codeOf, ec, forge, held, hs256, type Row, withHeader } from './attack.ts'
import { claimContents, keysAtLoad, positives } from './attacks-on-claims.ts'
import { bytesAndShapes, extensions, jsonTexts } from './attacks-on-content.ts'
import { algorithmSelection, keyConfusion, namedKeys } from './attacks-on-keys.ts'
import { controls, malleableTwin, signatureOctets } from './attacks-on-signatures.ts'
import { claims } from './craft.ts'

const tables: Record<string, readonly Row[]> = {
  'algorithm selection': algorithmSelection,
  'key confusion': keyConfusion,
  'signature octets': signatureOctets,
  'keys named by the token': namedKeys,
  'crit, b64, nested tokens, JWE': extensions,
  JSON: jsonTexts,
  'encoding, shape, size': bytesAndShapes,
  claims: claimContents,
  'keys at load': keysAtLoad,
}

for (const [table, rows] of Object.entries(tables)) {
  for (const { name, source, code, attacks } of rows) {
    test(`${table}: refuses ${name} (${source})`, () => {
      assert.ok(attacks.length > 0)
      attacks.forEach((attack, index) => {
        assert.equal(codeOf(attack), code, `attack ${index}: ${JSON.stringify(attack)?.slice(0, 300)}`)
      })
    })
  }
}

test('the tables: the unchanged tokens of the attacks are accepted', () => {
  for (const control of [...controls, ...positives]) control()
})

test('signature octets: the second valid form of an ECDSA signature is accepted, so token bytes must not identify a token (SEC 1 §4.1.4)', () => {
  assert.ok(verify(malleableTwin, ec, held))
})

test('keys named by the token: jku, x5u and jwk.jku are never fetched (RFC 8725 §3.10)', async () => {
  let requests = 0
  const server = createServer((_, response) => {
    requests++
    response.end('{"keys":[]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const urls = [
    `http://127.0.0.1:${port}/`,
    `http://good.example@127.0.0.1:${port}/`,
    'http://169.254.169.254/',
    'file:///etc/passwd',
  ]
  for (const url of urls) {
    for (const named of [{ jku: url }, { x5u: url }, { jwk: { jku: url } }]) {
      assert.ok(verify(withHeader(named), hs256, held), 'ignored with a valid signature')
      assert.equal(codeOf(withHeader(named, () => 'x'.repeat(32))), 'ERR_JWT_SIGNATURE')
      assert.equal(codeOf(withHeader({ ...named, kid: 'theirs' })), 'ERR_JWT_KEY_UNKNOWN')
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  server.close()
  assert.equal(requests, 0)
})

test('misuse: only unsafeDecode parses a token without verifying it', () => {
  const names = Object.keys(jwt).sort()
  assert.deepEqual(
    names.filter((name) => /decode|parse/i.test(name)),
    ['unsafeDecode'],
  )
  assert.equal('default' in jwt, false)
})

test('misuse: a claim named __proto__ cannot change a prototype through a merge (CVE-2024-34273)', () => {
  const token = forge(
    { alg: 'HS256', kid: 'hs-1', typ: 'at+jwt' },
    JSON.stringify(claims).replace(/}$/, ',"__proto__":{"admin":true}}'),
  )
  assert.equal(codeOf(token), 'ERR_JWT_MALFORMED')
  const { payload } = verify(withHeader({}), hs256, held)
  assert.equal((Object.assign({}, payload) as { admin?: boolean }).admin, undefined)
})
