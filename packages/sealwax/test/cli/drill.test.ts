import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { unsafeDecode } from '@sealwax/jwt'
import { verifiersOf } from '../../drill/verifiers.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthServer, createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { listen, MINUTE, SECRET, tempDir } from '../server.ts'

// The full drill with three servers takes twenty minutes and has its own command. This test runs
// one server and the same verifiers, with their default caches, through several hours of simulated
// time: it advances the clock of this process, which all of them use.

test('drill: no verifier refuses a valid token across three rotations, a change of algorithm and an emergency revocation', async () => {
  using directory = tempDir()
  let auth: AuthServer | undefined
  await using front = await listen((request, response) => {
    if (auth !== undefined) toNodeHandler(auth)(request, response)
  })
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const start = async (alg: 'ES256' | 'EdDSA') => {
    await auth?.close()
    const store = sqliteStore(`${directory.path}/auth.db`)
    auth = await createAuth({ issuer: front.url, audience: 'api', secret: SECRET, store, alg, keyPeriod: '1h' })
    return auth
  }
  const verifiers = verifiersOf(front.url)
  const counts = { accepted: 0, stale: 0 }
  const kids = new Set<string>()
  let { refresh_token, access_token } = await (await start('ES256')).sessions.create({ subject: 'ann' })
  let revoked = ''

  async function present(token: string): Promise<void> {
    const { kid = '', alg } = unsafeDecode(token).header
    kids.add(kid)
    for (const { name, refusalOf } of verifiers) {
      // fast-jwt is configured with one algorithm when it is created.
      if (alg !== 'ES256' && name.startsWith('fast-jwt')) continue
      const refusal = await refusalOf(token)
      if (kid === revoked && refusal !== undefined) {
        counts.stale += 1
        if (name === '@sealwax/guard') assert.equal(refusal, 'token_stale')
      } else {
        counts.accepted += 1
        assert.equal(refusal, undefined, `${name} at ${new Date().toISOString()}`)
      }
    }
  }

  for (let minute = 0; minute < 6 * 60; minute += 2) {
    // A start does the work of the job that runs every minute. Every ten minutes is less often,
    // but still in time.
    if (minute % 10 === 0) await start(minute < 4 * 60 ? 'ES256' : 'EdDSA')
    const server = auth as unknown as AuthServer
    if (minute === 150) {
      revoked = unsafeDecode(access_token).header.kid ?? ''
      await server.keys.revoke(revoked)
      const guard = verifiers.find(({ name }) => name === '@sealwax/guard')
      for (let waited = 0; waited < 1500 && (await guard?.refusalOf(access_token)) === undefined; waited += 1)
        await delay(10)
    }
    await present(access_token)
    const fresh = await server.sessions.refresh(refresh_token)
    await present(fresh.access_token)
    ;({ refresh_token, access_token } = fresh)
    mock.timers.setTime(Date.now() + 2 * MINUTE)
  }
  await Promise.all(verifiers.map((verifier) => verifier.close()))
  await auth?.close()
  mock.timers.reset()
  assert.ok(kids.size >= 6, `${kids.size} keys signed`)
  assert.ok(counts.accepted > 900 && counts.stale > 0, JSON.stringify(counts))
})
