import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { commonPasswords, createPasswordPolicy, isCommon } from '../../src/accounts/password-policy.ts'
import type { Config } from '../../src/core/options.ts'
import { AuthError } from '../../src/index.ts'
import { PASSWORD, startAuth } from '../server.ts'

interface Logged {
  readonly fields: Record<string, unknown>
  readonly message: string
}

/** A policy, what it logs, and a clock that the test moves. */
function policyOf(options: Partial<Config> = {}) {
  const logged: Logged[] = []
  const clock = { ms: 0 }
  const nothing = () => {}
  const log = {
    ...{ debug: nothing, info: nothing, error: nothing },
    warn: (fields: object, message: string) => void logged.push({ fields: { ...fields }, message }),
  }
  const config = { issuer: 'https://accounts.wonderland.example', passwordMinLength: 15, ...options } as Config
  const policy = createPasswordPolicy({ config, log, elapsed: () => clock.ms })
  /** The code with which a password is refused, or 'accepted'. */
  const verdict = async (password: string, owner: { email?: string; name?: string } = {}) => {
    try {
      await policy.check(password.normalize('NFC'), owner)
      return 'accepted'
    } catch (error) {
      assert.ok(error instanceof AuthError, String(error))
      assert.equal(error.status, 422)
      assert.ok(!error.message.includes(password), 'the message does not repeat the password')
      return error.code
    }
  }
  return { verdict, logged, clock }
}

describe('password policy', () => {
  it('length: 15 to 256 characters, counted as code points after NFC', async () => {
    const { verdict } = policyOf()
    const text = (length: number) =>
      Array.from({ length }, (_, i) => String.fromCodePoint(0x1f300 + ((i * 89) % 256))).join('')
    assert.equal(await verdict('k8 vq2 zt9 wm4'), 'password_too_short')
    assert.equal(await verdict('k8 vq2 zt9 wm4x'), 'accepted')
    assert.equal(await verdict('e\u0301'.repeat(8)), 'password_too_short', '16 code units, 8 characters')
    assert.equal(await verdict(text(257)), 'password_too_long')
    assert.equal(await verdict(text(256)), 'accepted')
  })

  it('length: passwordMinLength applies instead of 15', async () => {
    const { verdict } = policyOf({ passwordMinLength: 8 })
    assert.equal(await verdict('vq2zt9w'), 'password_too_short')
    assert.equal(await verdict('vq2zt9wm'), 'accepted')
    assert.equal(await verdict('x8392015'), 'accepted', 'there are no composition rules')
    assert.equal(await verdict('38920157'), 'accepted')
    assert.equal(await verdict('sunshine'), 'password_too_common')
  })

  it('common: the list has at least 10,000 entries', async () => {
    const common = await commonPasswords()
    assert.ok(common.size > 20_000, String(common.size))
    for (const word of ['password', 'qwertyuiop', '123456', 'iloveyou']) assert.ok(common.has(word), word)
  })

  it('common: refuses common passwords, repeated, padded, disguised and in other letters', async () => {
    const { verdict } = policyOf()
    const refused = [
      ...['passwordpassword', 'passwordpasswor', 'PasswordPassword', 'ｐassword12345678', 'password12345678'],
      ...['password!!!!!!!!!', '!!!!2024password', 'p4$$w0rd12345678', 'Password-2024-07-31', 'p-a-s-s-w-o-r-d-1'],
      ...['1234567890123456', '9876543210987654', 'qwertyuiopasdfgh', 'poiuytrewqlkjhgf', 'abcdefghijklmnopq'],
      ...['aaaaaaaaaaaaaaaa', 'abababababababab', 'xqkpxqkpxqkpxqkp', '1qaz2wsx3edc4rfv', 'sunshinesunshine1!'],
      ...['dragon          ', 'dragon123123123123123', 'monkey123456789012'],
    ]
    for (const password of refused) assert.equal(await verdict(password), 'password_too_common', password)
  })

  it('common: accepts passphrases of common words and random text', async () => {
    const { verdict } = policyOf()
    const accepted = [
      ...[PASSWORD, 'change-this-demo-password', 'a password nobody guesses', 'horse 1 battery 2'],
      ...[
        '4815-l-1623-o-42-v-108-e-99',
        'dragon 4815162342108',
        '314159265358979',
        'lösenord på svenska',
        '我的密码是一个很长的句子没人能猜',
      ],
    ]
    for (const password of accepted) assert.equal(await verdict(password), 'accepted', password)
  })

  it('common: every entry is refused when repeated or padded, in any case', async () => {
    const common = await commonPasswords()
    const words = [...common].filter((word) => /^[a-z]{4,}$/.test(word))
    const entry = fc.constantFrom(...words)
    fc.assert(
      fc.property(
        entry,
        fc.integer({ min: 2, max: 5 }),
        fc.stringMatching(/^[0-9!?.-]{0,11}$/),
        (word, times, padding) => {
          assert.ok(isCommon(word.toUpperCase().repeat(times), common))
          assert.ok(isCommon(word + padding, common))
          assert.ok(isCommon(padding + word, common))
        },
      ),
    )
  })

  it('common: random passwords of 15 characters are accepted', async () => {
    const common = await commonPasswords()
    const random = fc.array(fc.constantFrom(...'abcdefghijkmnpqrstuvwxyz23456789'), { minLength: 15, maxLength: 15 })
    // Drawn uniformly: other values of fast-check are small on purpose.
    const drawn = fc.sample(fc.noBias(random), { numRuns: 2000, seed: 7 })
    assert.deepEqual(
      drawn.map((characters) => characters.join('')).filter((password) => isCommon(password, common)),
      [],
    )
  })

  it('common: a check takes less than a millisecond', async () => {
    const common = await commonPasswords()
    const passwords = Array.from({ length: 200 }, (_, i) => `${'a!'.repeat(120)}${i} ${PASSWORD}`.slice(0, 256))
    // The quickest of several rounds, since other load on the machine only adds time.
    let quickest = Infinity
    for (let round = 0; round < 10; round += 1) {
      const started = performance.now()
      for (const password of passwords) isCommon(password, common)
      quickest = Math.min(quickest, performance.now() - started)
    }
    assert.ok(quickest / passwords.length < 1)
  })

  it('personal: the words of the user and the site do not count', async () => {
    const { verdict } = policyOf()
    const owner = { email: 'annabel.lee@kingdom.example', name: 'Annabel Lee Poe' }
    const verdicts = {
      'annabel.lee@kingdom.example': 'password_too_personal',
      'xx Annabel.Lee@Kingdom.Example by the sea, by the sea': 'password_too_personal',
      'annabel-likes-cheese': 'password_too_personal',
      'kingdom annabel 1958': 'password_too_personal',
      'my kingdom for it': 'password_too_personal',
      'alice in wonderland': 'password_too_personal',
      'wonderland accounts': 'password_too_personal',
      'annabel likes cheese on toast': 'accepted',
      'lee sails to the moon': 'accepted',
    }
    for (const [password, expected] of Object.entries(verdicts)) {
      assert.equal(await verdict(password, owner), expected, password)
    }
    assert.equal(await verdict('annabel-likes-cheese'), 'accepted', 'for another user')
  })

  it('personal: an IP address as issuer has no name', async () => {
    for (const issuer of ['http://127.0.0.1:5000', 'http://[::1]:5000']) {
      assert.equal(await policyOf({ issuer }).verdict('127.0.0.1 is home to me'), 'accepted')
    }
  })

  it('applies to sign-up, auth.users.create and auth.users.update, not to existing passwords', async () => {
    await using server = await startAuth()
    const register = (email: string, password: string) => server.call('/register', { json: { email, password } })
    const common = await register('ann@example.com', 'passwordpassword')
    assert.deepEqual([common.status, common.body.code], [422, 'password_too_common'])
    const personal = await register('annabel@example.com', 'annabel-likes-cheese')
    assert.deepEqual([personal.status, personal.body.code], [422, 'password_too_personal'])
    const { id } = await server.auth.users.create({ email: 'annabel@example.com', password: PASSWORD })
    await assert.rejects(server.auth.users.update(id, { password: 'annabel-likes-cheese' }), {
      code: 'password_too_personal',
    })
    await server.auth.users.update(id, { email: 'ann@example.com', password: 'annabel-likes-cheese' })
    await server.restart({ passwordMinLength: 64 })
    const login = await server.call('/login', { json: { email: 'ann@example.com', password: 'annabel-likes-cheese' } })
    assert.equal(login.status, 200)
  })
})

/** A range service on loopback. */
async function service(reply: RequestListener) {
  const requests: { url: string | undefined; padding: string | string[] | undefined }[] = []
  const server = createServer((request, response) => {
    requests.push({ url: request.url, padding: request.headers['add-padding'] })
    reply(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const BREACHED = 'four wet ducks in a row'
const DIGEST = createHash('sha1').update(BREACHED).digest('hex').toUpperCase()
const PADDED = 'three dry ducks in a row'
const PADDED_DIGEST = createHash('sha1').update(PADDED).digest('hex').toUpperCase()

/** Replies as a range service does, with one breached password and one entry of padding. */
const ranges: RequestListener = (request, response) => {
  const prefix = request.url?.slice(-5)
  const entries = [
    [DIGEST, 42],
    [PADDED_DIGEST, 0],
    [`${prefix}${'0'.repeat(35)}`, 3],
  ] as const
  response.end(
    entries
      .filter(([digest]) => digest.startsWith(String(prefix)))
      .map(([digest, count]) => `${digest.slice(5)}:${count}`)
      .join('\r\n'),
  )
}

describe('breached passwords', () => {
  it('asks for five digits of the SHA-1, and refuses a listed password', async () => {
    await using range = await service(ranges)
    const { verdict, logged } = policyOf({ passwordBreachUrl: `${range.url}/range` })
    assert.equal(await verdict(BREACHED), 'password_breached')
    assert.equal(await verdict(PASSWORD), 'accepted')
    assert.equal(await verdict(PADDED), 'accepted', 'an entry with the count 0 is padding')
    assert.deepEqual(range.requests[0], { url: `/range/${DIGEST.slice(0, 5)}`, padding: 'true' })
    assert.equal(await verdict('passwordpassword'), 'password_too_common')
    assert.equal(range.requests.length, 3, 'a password that is refused anyway is not asked for')
    assert.deepEqual(logged, [])
  })

  const away: Record<string, RequestListener> = {
    'responds with an error': (_, response) => void response.writeHead(503).end('busy'),
    'redirects elsewhere': (_, response) => void response.writeHead(302, { Location: '/elsewhere' }).end(),
    'sends something else': (_, response) => void response.end(`<html>${DIGEST.slice(5)}:42</html>`),
    'sends too much': (_, response) => void response.end(`${'A'.repeat(35)}:1\r\n`.repeat(40_000)),
    'does not respond': () => {},
    'stops in the middle': (_, response) => void response.write(`${DIGEST.slice(5)}:4`),
    'cuts the connection': (request) => void request.socket.destroy(),
  }
  for (const [what, reply] of Object.entries(away)) {
    it(`a service that ${what}: the password is accepted, and a warning logged`, async () => {
      await using range = await service(reply)
      const { verdict, logged } = policyOf({ passwordBreachUrl: range.url })
      const started = performance.now()
      assert.equal(await verdict(BREACHED), 'accepted')
      assert.ok(performance.now() - started < 5000)
      assert.equal(range.requests.length, 1)
      assert.equal(logged.length, 1)
      assert.ok(!JSON.stringify(logged).includes(DIGEST.slice(0, 5)), 'the log has no part of the digest')
    })
  }

  it('a service that is down: accepted, and logged once a minute with the number of failures', async () => {
    let url: string
    {
      await using range = await service(ranges)
      url = range.url
    }
    const { verdict, logged, clock } = policyOf({ passwordBreachUrl: url })
    for (let i = 0; i < 3; i += 1) assert.equal(await verdict(BREACHED), 'accepted')
    assert.deepEqual(
      logged.map(({ fields }) => fields),
      [{ reason: 'ECONNREFUSED', failures: 1 }],
    )
    clock.ms = 60_000
    await verdict(BREACHED)
    assert.deepEqual(logged[1]?.fields, { reason: 'ECONNREFUSED', failures: 3 })
  })

  it('sign-up refuses a breached password', async () => {
    await using range = await service(ranges)
    await using server = await startAuth({ passwordBreachUrl: range.url })
    const { status, body } = await server.call('/register', { json: { email: 'ann@example.com', password: BREACHED } })
    assert.deepEqual([status, body.code], [422, 'password_breached'])
  })
})
