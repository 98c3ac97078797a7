import assert from 'node:assert/strict'
import { createPublicKey, verify as cryptoVerify } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { generateKey, sign, unsafeDecode } from '@sealwax/jwt'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { Store } from '../../src/core/unit-of-work.ts'
import { openForCommand } from '../../src/create-auth.ts'
import { features } from '../../src/features.ts'
import { revokeKey } from '../../src/signing-keys/rotation.ts'
import { LEAD } from '../../src/signing-keys/schedule.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { DAY, HOUR, MINUTE, SECOND, SECRET, type Started, standing, startAuth, tempDir } from '../server.ts'

const NEXT = 'pL8x-another-test-secret-Wq3Zt7Hd5Kc9Mv'
const kidOf = (token: string) => unsafeDecode(token).header.kid
const published = async (server: Started) =>
  (await server.call('/.well-known/jwks.json')).body.keys.map((key) => key.kid as string)
const states = async (server: Started) => (await server.auth.keys.list()).map(({ state }) => state)
const told = (server: Started) =>
  server.events.flatMap(({ type, data }) => (type.startsWith('key.') ? [`${type} ${data?.kid}`] : []))

describe('key rotation', () => {
  it('the standby takes over on time; the old key verifies until its last token has expired; each change is audited once', async () => {
    await using server = await startAuth({ keyPeriod: '1d' })
    const [first, second] = await published(server)
    const before = await server.auth.sessions.create({ subject: 'ann' })
    assert.equal(kidOf(before.access_token), first)
    server.clock.advance(DAY - MINUTE)
    const last = await server.auth.sessions.create({ subject: 'ann' })
    server.clock.advance(MINUTE)
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    assert.deepEqual([kidOf(last.access_token), kidOf(access_token)], [first, second])
    assert.equal(await standing(server.auth, last.access_token), 'accepted')
    await server.restart()
    const [, , third] = await published(server)
    assert.deepEqual(await states(server), ['retiring', 'signing', 'published'])
    server.clock.advance(HOUR + 18 * MINUTE)
    await server.restart()
    assert.deepEqual(await published(server), [second, third])
    assert.deepEqual(told(server), [
      ...[`key.created ${first}`, `key.created ${second}`, `key.activated ${first}`],
      ...[`key.created ${third}`, `key.retiring ${first}`, `key.activated ${second}`, `key.retired ${first}`],
    ])
    const rows = new DatabaseSync(server.file, { readOnly: true }).prepare('select kid from signing_keys').all()
    assert.equal(rows.length, 2, 'the retired key is deleted with its private half')
  })

  it('after a long pause the old standby signs until a new key has been published long enough', async () => {
    await using server = await startAuth()
    const [, standby] = await published(server)
    const session = await server.auth.sessions.create({ subject: 'ann' })
    server.clock.advance(80 * DAY)
    await server.restart({ refreshIdle: '80d' })
    const fresh = await server.auth.sessions.create({ subject: 'ann' })
    assert.equal(kidOf(fresh.access_token), standby)
    assert.equal(await standing(server.auth, session.access_token), 'token_key_unknown')
    assert.deepEqual(await states(server), ['signing', 'published', 'published'])
    server.clock.advance(LEAD)
    assert.deepEqual(await states(server), ['retiring', 'signing', 'published'])
  })

  it('a change of the algorithm (HS256, ES256, EdDSA) is a rotation, and no token is refused', async () => {
    await using server = await startAuth({ alg: 'HS256' })
    let tokens = await server.auth.sessions.create({ subject: 'ann' })
    const algs = [unsafeDecode(tokens.access_token).header.alg]
    for (const alg of ['ES256', 'EdDSA'] as const) {
      await server.restart({ alg })
      for (let waited = 0; waited <= LEAD; waited += MINUTE) {
        const fresh = await server.auth.sessions.refresh(tokens.refresh_token)
        assert.equal(await standing(server.auth, fresh.access_token), 'accepted')
        assert.equal(await standing(server.auth, tokens.access_token), 'accepted')
        tokens = fresh
        server.clock.advance(MINUTE)
      }
      tokens = await server.auth.sessions.refresh(tokens.refresh_token)
      algs.push(unsafeDecode(tokens.access_token).header.alg)
    }
    assert.deepEqual(algs, ['HS256', 'ES256', 'EdDSA'])
  })

  it('rotate: an old standby signs immediately, a new one only after LEAD; calling it twice skips no key', async () => {
    await using server = await startAuth()
    const [first, second] = await published(server)
    const early = await server.auth.keys.rotate()
    assert.equal((early[1]?.signsFrom.getTime() ?? 0) - server.clock.time, LEAD)
    assert.equal(kidOf((await server.auth.sessions.create({ subject: 'ann' })).access_token), first)
    server.clock.advance(LEAD)
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    assert.equal(kidOf(access_token), second)
    server.clock.advance(LEAD)
    // Made by the previous rotation, so it has been published long enough.
    await server.auth.keys.rotate()
    server.clock.advance(DAY)
    await server.auth.keys.rotate()
    const [third] = (await server.auth.keys.list()).filter(({ state }) => state === 'signing')
    assert.notEqual(third?.kid, second)
    assert.ok(server.events.some(({ type, data }) => type === 'key.scheduled' && data?.kid === second))
  })

  it('after accessTtl is shortened, keys stay until tokens with the longer lifetime have expired', async () => {
    await using server = await startAuth({ accessTtl: '1d', keyPeriod: '1d' })
    const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
    server.clock.advance(DAY - MINUTE)
    const late = await server.auth.sessions.create({ subject: 'ann' })
    await server.restart({ accessTtl: '15m' })
    for (const hours of [2, 20]) {
      server.clock.advance(hours * HOUR)
      await server.restart({ accessTtl: '15m' })
      assert.equal(await standing(server.auth, late.access_token), 'accepted')
    }
    assert.equal(await standing(server.auth, access_token), 'token_expired')
    server.clock.advance(4 * HOUR)
    await server.restart({ accessTtl: '15m' })
    assert.equal(await standing(server.auth, late.access_token), 'token_key_unknown')
  })

  it('a server whose clock is behind does not audit a change again', async () => {
    await using server = await startAuth({ keyPeriod: '1h' })
    server.clock.advance(HOUR)
    for (let turn = 0; turn < 3; turn += 1) {
      await server.restart()
      await server.restart({ now: () => server.clock.time - MINUTE })
    }
    const moves = told(server).filter((line) => !line.startsWith('key.created'))
    assert.equal(new Set(moves).size, moves.length, moves.join())
  })

  it('a command makes no key and rewraps nothing', async () => {
    await using server = await startAuth({ alg: 'EdDSA' })
    const before = await server.auth.keys.list()
    const command = await openForCommand(
      {
        ...{ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: [SECRET, NEXT], alg: 'ES256' },
        ...{ store: sqliteStore(server.file), now: () => server.clock.time },
      },
      features,
    )
    assert.equal(
      (await revokeKey(command.context, before[0]?.kid ?? '', { dryRun: true, all: true })).revoked.length,
      2,
    )
    await command.close()
    assert.deepEqual(await server.auth.keys.list(), before)
  })

  it('a copied database signs with a new key at its first start: the old one may have been revoked', async () => {
    await using server = await startAuth()
    server.clock.advance(DAY)
    const [first, second] = await published(server)
    const { access_token, refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
    assert.equal(kidOf(access_token), first)
    const database = new DatabaseSync(server.file)
    database.exec("delete from metadata where name = 'feed_epoch'")
    database.close()
    await server.restart()
    assert.equal(await standing(server.auth, access_token), 'accepted')
    assert.equal(kidOf((await server.auth.sessions.refresh(refresh_token)).access_token), second)
    await server.restart()
    assert.equal((await published(server)).length, 3)
  })

  it('a process that has not read the keys for a minute does not sign: another key may have taken over', async () => {
    using directory = tempDir()
    // Changes of the file are not noticed, so the keys are not read again.
    const store: Store = Object.create(sqliteStore(join(directory.path, 'unread.db')), {
      follow: { value: () => async () => {} },
    })
    await using server = await startAuth({ store })
    const { refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
    const { performance } = globalThis
    const real = performance.now.bind(performance)
    try {
      performance.now = () => real() + 61_000
      const { status, headers, body } = await server.call('/refresh', { json: { refresh_token } })
      assert.deepEqual([status, body.code], [503, 'keys_unavailable'])
      assert.ok(Number(headers.get('Retry-After')) > 0)
    } finally {
      performance.now = real
    }
    assert.equal((await server.call('/refresh', { json: { refresh_token } })).status, 200)
  })
})

describe('the JWK Set', () => {
  it('may be cached for five minutes, or until its next planned change', async () => {
    await using server = await startAuth({ keyPeriod: '1h' })
    const kept = async () => (await server.call('/.well-known/jwks.json')).headers.get('Cache-Control')
    assert.equal(await kept(), 'public, max-age=300')
    server.clock.advance(HOUR - LEAD - 20 * SECOND)
    assert.equal(await kept(), 'public, max-age=20')
  })

  it('supports If-None-Match, and CORS from every origin without credentials', async () => {
    await using server = await startAuth()
    const first = await server.call('/.well-known/jwks.json', { headers: { Origin: 'https://app.example' } })
    assert.deepEqual(
      [first.headers.get('Access-Control-Allow-Origin'), first.headers.get('Access-Control-Allow-Credentials')],
      ['*', null],
    )
    const etag = first.headers.get('ETag') ?? ''
    assert.match(etag, /^"[\w+/=-]{20,}"$/)
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await server.call('/.well-known/jwks.json', { headers: { 'If-None-Match': tag } })
      assert.deepEqual([tag, again.status, again.text], [tag, 304, ''])
      assert.deepEqual([again.headers.get('ETag'), again.headers.get('Cache-Control')], [etag, 'public, max-age=300'])
    }
    const other = await server.call('/.well-known/jwks.json', { headers: { 'If-None-Match': '"other"' } })
    assert.equal(other.status, 200)
    server.clock.advance(30 * DAY)
    await server.restart()
    const changed = await server.call('/.well-known/jwks.json', { headers: { 'If-None-Match': etag } })
    assert.deepEqual([changed.status, changed.headers.get('ETag') === etag], [200, false])
  })

  it('verifies tokens with node:crypto and jose, and has no private member for any algorithm', async () => {
    for (const alg of ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256', 'ES512'] as const) {
      await using server = await startAuth({ alg, now: Date.now })
      const { body } = await server.call('/.well-known/jwks.json')
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) {
        assert.ok(body.keys.every((key) => !Object.hasOwn(key, member)))
      }
      const { access_token } = await server.auth.sessions.create({ subject: 'ann' })
      const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`))
      const { payload } = await jwtVerify(access_token, keys, { issuer: 'http://127.0.0.1:5000', typ: 'at+jwt' })
      assert.equal(payload.sub, 'ann')
      if (alg !== 'EdDSA') continue
      const [head, claims, signature] = access_token.split('.')
      const key = createPublicKey({ key: body.keys[0] as never, format: 'jwk' })
      const input = Buffer.from(`${head}.${claims}`)
      assert.ok(cryptoVerify(null, input, key, Buffer.from(signature ?? '', 'base64url')))
    }
  })
})

describe('issuers', () => {
  it('accepts tokens of a replaced system until a date, but not at the routes of Sealwax; an invalid option fails the start', async () => {
    const old = await generateKey('ES256')
    const until = new Date(Date.UTC(2026, 0, 16))
    const issuers = [{ issuer: 'https://old.example.com', keys: old.publicKey, until }]
    await using server = await startAuth({ issuers })
    const token = sign({ sub: '42', roles: ['sealwax:admin'] }, old, {
      ...{ issuer: 'https://old.example.com', audience: 'api', typ: 'JWT', expiresIn: '7d' },
      currentDate: new Date(server.clock.time),
    })
    assert.equal(await standing(server.auth, token), 'accepted')
    // An administrator of the old system is not an administrator here.
    for (const path of ['/me', '/sessions', '/admin/keys']) {
      assert.equal((await server.call(path, { token })).body.code, 'token_key_unknown')
    }
    server.clock.advance(DAY)
    assert.equal(await standing(server.auth, token), 'token_issuer_invalid')
    await assert.rejects(startAuth({ issuers: [{ issuer: 'x', until: 'tomorrow' }] }), {
      code: 'config_invalid',
      message: "createAuth: issuers[0]: until must be a Date, or a date such as '2027-03-31' (got a string)",
    })
  })
})
