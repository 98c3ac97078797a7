import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import type { JwkSetSource, VerifyOptions } from '@sealwax/jwt'
import { createLocalJWKSet, JwtError, verify } from '@sealwax/jwt'
import { type InspectOptions, inspect } from '@sealwax/jwt/inspect'
import { build } from 'esbuild'
import { audience, claims, craft, currentDate, header, hs256, issuer, now } from './craft.ts'

const root = new URL('..', import.meta.url)

function codes(token: unknown, options: InspectOptions = {}): string[] {
  return inspect(token, { currentDate, ...options }).findings.map(({ code, claim }) =>
    claim === undefined ? code : `${code} ${claim}`,
  )
}

const all: InspectOptions = { issuer, audience, typ: 'at+jwt', keys: [hs256], currentDate }

test('inspect: shows header and payload, has no finding for a valid token, and notes that the signature was not checked', () => {
  const result = inspect(craft(claims), all)
  assert.deepEqual(result.header, header)
  assert.deepEqual(result.payload, claims)
  assert.deepEqual(result.findings, [])
  assert.match(result.notice, /signature was not checked/)
  assert.deepEqual(
    inspect(`${craft(claims).slice(0, -43)}${'A'.repeat(43)}`, all).findings,
    [],
    'a forged one looks the same',
  )
})

test('inspect: shows times as dates and in words', () => {
  const token = craft({ iat: now - 7300, auth_time: now - 200_000, nbf: now + 61.5, exp: now - 37 })
  assert.deepEqual(inspect(token, { currentDate }).times, [
    { claim: 'iat', date: new Date((now - 7300) * 1000), text: 'issued 2 hours ago' },
    { claim: 'auth_time', date: new Date((now - 200_000) * 1000), text: 'logged in 2 days ago' },
    { claim: 'nbf', date: new Date((now + 61.5) * 1000), text: 'becomes valid in 61 seconds' },
    { claim: 'exp', date: new Date((now - 37) * 1000), text: 'expired 37 seconds ago' },
  ])
  const text = (exp: number) => inspect(craft({ exp }), { currentDate }).times[0]?.text
  assert.equal(text(now + 1), 'expires in 1 second')
  assert.equal(text(now), 'expired 0 seconds ago')
  assert.equal(text(now + 119), 'expires in 119 seconds')
  assert.equal(text(now + 120), 'expires in 2 minutes')
  assert.equal(text(now + 100 * 31_557_600), 'expires in 100 years')
  assert.equal(text(1e300), undefined, 'outside the range of Date')
})

test('inspect: continues after the first fault, in the order of verify', () => {
  const token = craft(
    { iss: 'https://other', sub: 7, jti: '', exp: now - 37, nbf: now + 100, cnf: {}, scope: [] },
    { alg: 'none', typ: 'id+jwt', crit: ['x'], cty: 'JWT', kid: 'hs-2' },
  )
  assert.deepEqual(codes(token, { ...all, requiredClaims: ['sub', 'tenant'], algorithms: ['ES256'] }), [
    'ERR_JWT_HEADER',
    'ERR_JWT_HEADER',
    'ERR_JWT_ALGORITHM',
    'ERR_JWT_KEY_UNKNOWN',
    'ERR_JWT_TYPE',
    'ERR_JWT_CLAIM sub',
    'ERR_JWT_CLAIM_MISSING tenant',
    'ERR_JWT_ISSUER iss',
    'ERR_JWT_CLAIM_MISSING aud',
    'ERR_JWT_CLAIM jti',
    'ERR_JWT_CLAIM scope',
    'ERR_JWT_PROOF_REQUIRED cnf',
    'ERR_JWT_CLAIM_MISSING iat',
    'ERR_JWT_NOT_YET_VALID nbf',
    'ERR_JWT_EXPIRED exp',
  ])
})

test('inspect: each finding is one sentence', () => {
  const { findings } = inspect(craft({ exp: 'soon' }, { alg: 'none', crit: [] }), all)
  assert.ok(findings.length > 4)
  for (const { message } of findings) assert.match(message, /^[A-Z][^\n]+[^.]\.$/)
})

test('inspect: a signature of the wrong length for its algorithm is found without the key', () => {
  const input = craft(claims).slice(0, -44)
  assert.deepEqual(codes(`${input}.`), ['ERR_JWT_SIGNATURE'])
  assert.deepEqual(codes(`${input}.AAAA`), ['ERR_JWT_SIGNATURE'])
  assert.deepEqual(codes(craft(claims, { ...header, alg: 'RS256' })), [], 'an RSA signature may have any length')
})

test('inspect: a header that cannot be parsed does not hide the payload, or vice versa', () => {
  const first = inspect(craft({ sub: 'a' }, '{"alg":"HS256","alg":"HS256"}'), { currentDate })
  assert.equal(first.header, undefined)
  assert.deepEqual(first.payload, { sub: 'a' })
  const second = inspect(craft('[]'), { currentDate })
  assert.deepEqual(second.header, header)
  assert.equal(second.payload, undefined)
  assert.deepEqual(
    second.findings.map(({ code }) => code),
    ['ERR_JWT_MALFORMED'],
  )
})

test('inspect: a value that is not a token is a finding, never an error', () => {
  for (const value of [undefined, null, 5, {}, [], '', 'a.b', 'a.b.c', 'x'.repeat(9000), 'é.é.é']) {
    assert.equal(codes(value)[0], 'ERR_JWT_MALFORMED', String(value))
  }
})

test('inspect: a token with typ at+jwt is checked as an access token; null and absent options check nothing', () => {
  const token = craft({ iss: 'x', aud: 'y', exp: now + 100_000, iat: now, scope: [] })
  assert.deepEqual(codes(token), ['ERR_JWT_CLAIM scope', 'ERR_JWT_CLAIM exp'])
  assert.deepEqual(
    codes(craft({ scope: [] }, { alg: 'HS256', typ: 'JWT' }), { issuer: null, audience: null, typ: null }),
    [],
  )
})

test('inspect: the option keys finds an unknown kid and an algorithm that is not the algorithm of the key', () => {
  const keys = [
    { kid: 'hs-1', alg: 'ES256' },
    { kid: 'ed', alg: 'EdDSA' },
  ]
  assert.deepEqual(codes(craft(claims), { keys }), ['ERR_JWT_ALGORITHM'])
  assert.deepEqual(codes(craft(claims, { ...header, kid: 'x' }), { keys }), ['ERR_JWT_KEY_UNKNOWN'])
  assert.deepEqual(codes(craft(claims, { alg: 'HS256', typ: 'at+jwt' }), { keys }), ['ERR_JWT_KEY_UNKNOWN'])
  assert.deepEqual(codes(craft(claims, { alg: 'HS256', typ: 'at+jwt' }), { keys: [hs256] }), [])
  assert.ok(!codes(craft(claims, { ...header, kid: 'ed', alg: 'Ed25519' }), { keys }).includes('ERR_JWT_ALGORITHM'))
})

test('inspect: refuses wrong options as verify does', () => {
  for (const options of [
    null,
    { issuer: undefined },
    { audience: [] },
    { clockTolerance: 61 },
    { now: 5 },
    { keys: undefined },
    { keys: [] },
    { keys: 'hs-1' },
    { keys: [null] },
    { keys: [{ kid: 'a' }] },
    { keys: [{ kid: 'a', alg: 'none' }] },
  ]) {
    assert.throws(
      () => inspect('a.b.c', options as InspectOptions),
      { code: 'ERR_JWT_OPTION' },
      JSON.stringify(options),
    )
  }
})

interface HostileEntry {
  name: string
  token?: string
  tokenRepeat?: [text: string, times: number][]
  keys: JwkSetSource
  options: VerifyOptions & { clock: number }
}

test('inspect: for every hostile token the first finding is what verify throws, and there is no finding if verify accepts it', () => {
  const file = readFileSync(new URL('test/vectors/hostile.json', root), 'utf8')
  let compared = 0
  for (const { name, keys, options, ...entry } of (JSON.parse(file) as { entries: HostileEntry[] }).entries) {
    const token = entry.token ?? (entry.tokenRepeat ?? []).map(([text, times]) => text.repeat(times)).join('')
    const { clock, ...rest } = options
    const held = { ...rest, currentDate: new Date(clock * 1000) }
    let expected: string | undefined
    let trusted: InspectOptions['keys']
    try {
      const set = createLocalJWKSet(keys)
      trusted = set.keys
      verify(token, set, held)
    } catch (error) {
      assert.ok(error instanceof JwtError)
      if (error.code === 'ERR_JWT_OPTION' || error.code === 'ERR_JWT_KEY_SET') continue
      expected = error.code
    }
    if (trusted === undefined) continue
    const { findings } = inspect(token, { ...held, keys: trusted })
    if (expected === 'ERR_JWT_SIGNATURE') continue // verify stops at the signature
    const found = findings.filter(({ code }) => code !== 'ERR_JWT_SIGNATURE')[0]?.code
    assert.equal(found, expected, name)
    compared++
  }
  assert.ok(compared > 150, `compared ${compared}`)
})

test('@sealwax/jwt/inspect: bundles for a browser without any node: import, and works there', async () => {
  const { outputFiles } = await build({
    entryPoints: [new URL('src/inspect.ts', root).pathname],
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'inspector',
    metafile: false,
    logLevel: 'silent',
  })
  const code = outputFiles[0]?.text ?? ''
  assert.doesNotMatch(code, /node:|require\(|\bBuffer\b|\bprocess\b/)
  assert.ok(code.length < 16_384, `${code.length} octets`)
  const bare = { TextEncoder, TextDecoder, result: '' }
  runInNewContext(`${code};result = JSON.stringify(inspector.inspect(${JSON.stringify(craft(claims))}))`, bare)
  const result = JSON.parse(bare.result) as { payload: object; findings: unknown[] }
  assert.deepEqual(result.payload, claims)
})

test('@sealwax/jwt: require() works for every entry, so no module awaits at its top level', () => {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    exports: Record<string, object>
  }
  const entries = Object.keys(exports).map((path) => `@sealwax/jwt${path.slice(1)}`)
  assert.deepEqual(entries, ['@sealwax/jwt', '@sealwax/jwt/inspect', '@sealwax/jwt/internal'])
  const program = `console.log(${entries.map((entry) => `typeof Object.values(require('${entry}')).at(-1)`).join(',')})`
  const { stdout, stderr } = spawnSync(process.execPath, ['--conditions=@sealwax/source', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  assert.equal(stdout, 'function function function\n', stderr)
})

test('@sealwax/jwt: only the modules of keys and signatures use node:crypto or Buffer', () => {
  const allowed = ['key-objects.ts', 'keys.ts', 'pem.ts', 'signature.ts']
  const sources = globSync('src/*.ts', { cwd: root.pathname })
  assert.ok(sources.length > 15)
  const touching = sources.filter((file) => {
    const code = readFileSync(new URL(file, root), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'(?=[),])/g, '')
    return /from 'node:|\bBuffer\b/.test(code)
  })
  assert.deepEqual(touching.map((file) => file.slice(4)).sort(), allowed)
})
