import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Algorithm, Jwk } from '@sealwax/jwt'
import { createLocalJWKSet, importKey, JwtError } from '@sealwax/jwt'
import { algorithms } from '../src/algorithms.ts'
import { decodeBase64url, findDots, parseHeader } from '../src/compact.ts'
import { checkParameters, readAlgorithm } from '../src/header.ts'
import { getMaterial } from '../src/key-material.ts'
import type { KeyMaterial } from '../src/signature.ts'
import { checkSignature, createSignature, cryptoKeyInput } from '../src/signature.ts'

// The vectors sign octets such as "foo", which are not claims, so verify() refuses all of them. The
// steps around the claims are the same functions here, in the order of verify().

const folder = process.env.WYCHEPROOF_DIR ?? resolve(import.meta.dirname, '../../../../shared/vectors/wycheproof')

interface Case {
  tcId: number
  comment: string
  result: 'valid' | 'invalid' | 'acceptable'
}
type JwsCase = Case & { jws: string }
type SignatureCase = Case & { msg: string; sig: string }
type MacCase = Case & { key: string; msg: string; tag: string }
interface File<Group> {
  numberOfTests: number
  testGroups: Group[]
}

function read<Group>(name: string): File<Group> {
  return JSON.parse(readFileSync(resolve(folder, `${name}.json`), 'utf8')) as File<Group>
}

const octets = (hex: string) => Buffer.from(hex, 'hex')

function jwsHolds(jws: string, keys: readonly KeyMaterial[]): boolean {
  try {
    const { first, second } = findDots(jws)
    const header = parseHeader(jws, { first, second })
    checkParameters(header)
    const alg = readAlgorithm(header)
    const key = keys.find(({ kid }) => header.kid === undefined || kid === header.kid)
    if (key?.row.alg !== alg) return false
    const payload = decodeBase64url(jws.slice(first + 1, second))
    const signature = decodeBase64url(jws.slice(second + 1))
    if (payload === undefined || signature?.length !== key.signatureLength) return false
    return checkSignature(key, Buffer.from(jws.slice(0, second)), signature)
  } catch (error) {
    if (error instanceof JwtError) return false
    throw error
  }
}

function signatureHolds(key: KeyMaterial, { msg, sig }: SignatureCase): boolean {
  const signature = octets(sig)
  return signature.length === key.signatureLength && checkSignature(key, octets(msg), signature)
}

/**
 * An imported key, or a weak secret that `importKey` refuses, so that its signatures are tested
 * too.
 */
function load(jwk: Jwk): KeyMaterial | undefined {
  try {
    return getMaterial(importKey(jwk))
  } catch (error) {
    assert.ok(error instanceof JwtError)
    return error.message === 'all octets of the secret are the same'
      ? secretMaterial(Buffer.from(jwk.k ?? '', 'base64url'), 'HS256', jwk.kid)
      : undefined
  }
}

function secretMaterial(secret: Buffer, alg: Algorithm, kid = ''): KeyMaterial {
  const row = algorithms.get(alg)
  assert.ok(row)
  const input = cryptoKeyInput(row, createSecretKey(secret))
  return { row, kid, signInput: input, verifyInput: input, signatureLength: row.hashLength }
}

/** The incorrect vectors by tcId: the published result, and why it is wrong. */
const defects: Record<number, [says: 'valid' | 'invalid', why: string]> = {
  346: ['valid', 'the header says PS384, the key PS256: one key, one algorithm (RFC 8725 §3.1)'],
  347: ['valid', 'the key names the algorithm ES521, which does not exist (RFC 7518 §3.1)'],
  350: ['valid', 'the header says PS384, the key PS256: one key, one algorithm (RFC 8725 §3.1)'],
  351: ['valid', 'the key names the algorithm ES521, which does not exist (RFC 7518 §3.1)'],
  367: ['invalid', 'the padding it is about was lost: it is tcId 357, which is valid'],
  370: ['invalid', 'the padding it is about was lost: it is tcId 357, which is valid'],
  372: ['valid', 'a question mark in the header is no base64url (RFC 7515 §2)'],
  373: ['valid', 'a question mark in the payload is no base64url (RFC 7515 §2)'],
}

function signatures(context: TestContext): void {
  const { numberOfTests, testGroups } = read<{ public?: Jwk; private: Jwk; tests: JwsCase[] }>(
    'json_web_signature_test',
  )
  const byId = new Map<number, JwsCase>()
  let held = 0
  for (const group of testGroups) {
    const key = load(group.public ?? group.private)
    for (const one of group.tests) {
      byId.set(one.tcId, one)
      const holds = key !== undefined && jwsHolds(one.jws, [key])
      const defect = defects[one.tcId]
      if (defect === undefined) {
        assert.equal(holds, one.result === 'valid', `tcId ${one.tcId}: ${one.comment}`)
        held++
      } else {
        assert.equal(one.result, defect[0], `tcId ${one.tcId} has changed`)
        assert.notEqual(holds, one.result === 'valid', `tcId ${one.tcId}: ${defect[1]}`)
      }
    }
  }
  for (const tcId of [367, 370]) assert.equal(byId.get(tcId)?.jws, byId.get(357)?.jws)
  assert.deepEqual([numberOfTests, held], [401, 393])
  context.diagnostic(
    `Wycheproof JWS: ${held} of ${numberOfTests}; ${Object.keys(defects).length} vectors are incorrect`,
  )
}

function keySets(context: TestContext): void {
  type Sets = { public?: { keys: Jwk[] }; private: { keys: Jwk[] }; tests: JwsCase[] }
  const { numberOfTests, testGroups } = read<Sets>('json_web_key_test')
  let held = 0
  for (const group of testGroups) {
    let keys: KeyMaterial[] = []
    try {
      const set = createLocalJWKSet(group.public ?? group.private)
      keys = set.keys.map((key) => getMaterial(key) as KeyMaterial)
    } catch (error) {
      assert.ok(error instanceof JwtError && error.code === 'ERR_JWT_KEY_SET', String(error))
    }
    for (const one of group.tests) {
      assert.equal(jwsHolds(one.jws, keys), one.result === 'valid', `tcId ${one.tcId}: ${one.comment}`)
      held++
    }
  }
  assert.deepEqual([numberOfTests, held], [26, 26])
  context.diagnostic(`Wycheproof JWK: ${held} of ${numberOfTests}`)
}

interface SignatureGroup {
  publicKeyPem: string
  publicKeyJwk?: Jwk
  tests: SignatureCase[]
}

const signatureFiles: readonly (readonly [file: string, alg: Algorithm, count: number])[] = [
  ['ecdsa_secp256r1_sha256_p1363_test', 'ES256', 262],
  ['ecdsa_secp384r1_sha384_p1363_test', 'ES384', 280],
  ['ecdsa_secp521r1_sha512_p1363_test', 'ES512', 318],
  ['ed25519_test', 'EdDSA', 151],
  ['rsa_signature_2048_sha256_test', 'RS256', 259],
  ['rsa_pss_2048_sha256_mgf1_32_test', 'PS256', 108],
]

function primitives(context: TestContext): void {
  let held = 0
  for (const [file, alg, count] of signatureFiles) {
    const before = held
    for (const group of read<SignatureGroup>(file).testGroups) {
      const key = getMaterial(importKey(group.publicKeyPem, { alg }))
      assert.ok(key)
      for (const one of group.tests) {
        // The one "acceptable" vector omits a NULL in the DigestInfo, which no signer does. It is
        // refused.
        assert.equal(signatureHolds(key, one), one.result === 'valid', `${file} tcId ${one.tcId}: ${one.comment}`)
        held++
      }
    }
    assert.equal(held - before, count, file)
  }
  for (const size of [256, 384, 512] as const) held += macs(`hmac_sha${size}_test`, `HS${size}`)
  assert.equal(held, 1900)
  context.diagnostic(
    `Wycheproof primitives: ${held} of 1900 (ECDSA P-256, P-384, P-521, Ed25519, RSA PKCS#1 and PSS, HMAC)`,
  )
}

/**
 * Compares tags at the length of the vector. JWS has no truncated tags, so those must be refused.
 */
function macs(file: string, alg: Algorithm): number {
  let held = 0
  for (const { tagSize, tests } of read<{ tagSize: number; tests: MacCase[] }>(file).testGroups) {
    for (const { tcId, comment, result, ...one } of tests) {
      const key = secretMaterial(octets(one.key), alg)
      const [msg, tag] = [octets(one.msg), octets(one.tag)]
      const full = Buffer.from(createSignature(key, key.verifyInput, msg.toString('latin1')), 'base64url')
      const same = tag.length * 8 === tagSize && full.subarray(0, tagSize / 8).equals(tag)
      assert.equal(same, result === 'valid', `${file} tcId ${tcId}: ${comment}`)
      const accepted = signatureHolds(key, { tcId, comment, result, msg: one.msg, sig: one.tag })
      assert.equal(accepted, same && tag.length === key.signatureLength, `${file} tcId ${tcId} as a signature`)
      held++
    }
  }
  assert.equal(held, 174, file)
  return held
}

function secp256k1(context: TestContext): void {
  const { numberOfTests, testGroups } = read<SignatureGroup>('ecdsa_secp256k1_sha256_p1363_test')
  for (const { publicKeyPem, publicKeyJwk } of testGroups) {
    for (const source of [
      publicKeyPem,
      publicKeyJwk,
      { ...publicKeyJwk, alg: 'ES256' },
      { ...publicKeyJwk, alg: 'ES256K' },
    ]) {
      assert.throws(() => importKey(source as string), { code: 'ERR_JWT_KEY' })
    }
    assert.throws(() => importKey(publicKeyPem, { alg: 'ES256' }), { code: 'ERR_JWT_KEY' })
  }
  assert.equal(numberOfTests, 252)
  context.diagnostic(
    `Wycheproof secp256k1: ES256K is not supported; all ${testGroups.length} keys (${numberOfTests} vectors) refused at load`,
  )
}

if (existsSync(resolve(folder, 'json_web_signature_test.json'))) {
  test('Wycheproof JWS: 393 of 401 results match, and the 8 others are defects of the vectors', signatures)
  test('Wycheproof JWK: every key set has the published result', keySets)
  test(
    'Wycheproof primitives: every signature and tag of the supported algorithms has the published result',
    primitives,
  )
  test('Wycheproof secp256k1: every key is refused, since ES256K is not supported', secp256k1)
} else {
  console.log(`Wycheproof: skipped, there are no vectors in ${folder} (WYCHEPROOF_DIR names another folder)`)
  test('Wycheproof', { skip: 'the vectors are not installed' }, () => {})
}
