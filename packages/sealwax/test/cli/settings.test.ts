import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EnvironmentError, OPTION_VARIABLES, readEnvironment } from '../../src/cli/settings.ts'
import { OPTION_RULES } from '../../src/options.ts'
import { tempDir } from '../server.ts'

const GOOD = {
  SEALWAX_ISSUER: 'https://auth.example.com',
  SEALWAX_AUDIENCE: 'https://api.example.com',
  SEALWAX_SECRET: 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3',
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readEnvironment(env)
    return []
  } catch (error) {
    assert.ok(error instanceof EnvironmentError)
    return error.problems
  }
}

test('env: three variables are required, the rest have defaults', () => {
  const environment = readEnvironment(GOOD)
  assert.deepEqual(environment.auth, {
    issuer: GOOD.SEALWAX_ISSUER,
    audience: [GOOD.SEALWAX_AUDIENCE],
    secret: [GOOD.SEALWAX_SECRET],
  })
  assert.equal(environment.databaseUrl, 'sqlite:sealwax.db')
  assert.equal(environment.host, '127.0.0.1')
  assert.equal(environment.port, 5000)
  assert.equal(environment.tls, undefined)
  assert.deepEqual([environment.keepAlive, environment.startTimeout], [72_000, 30_000])
})

test('env: every option that can be given as a string has a variable named after it', () => {
  const inCode = [
    ...[
      'store',
      'issuers',
      'exchange',
      'mail',
      'mailTexts',
      'pageTexts',
      'loadSubject',
      'beforeRegister',
      'checkAttributes',
      'onEvent',
      'onRefusal',
      'logger',
      'now',
    ],
  ]
  const expected = [...OPTION_RULES.keys()].filter((name) => !inCode.includes(name))
  const named = [...OPTION_VARIABLES].map(([variable, [option]]) => {
    assert.equal(variable, `SEALWAX_${option.replace(/[A-Z]/g, '_$&').toUpperCase()}`)
    return option
  })
  assert.deepEqual(named.toSorted(), expected.toSorted())
})

test('env: all missing variables are reported together', () => {
  const problems = problemsOf({})
  assert.deepEqual(
    problems.map((problem) => problem.split(' ')[0]),
    ['SEALWAX_ISSUER', 'SEALWAX_AUDIENCE', 'SEALWAX_SECRET'],
  )
  assert.deepEqual(problemsOf({ ...GOOD, SEALWAX_SECRET: '' }).length, 1, 'an empty variable is missing')
})

const BAD: readonly [variable: string, value: string, sentence: RegExp][] = [
  ['SEALWAX_ISSUER', 'http://auth.example.com', /https/],
  ['SEALWAX_ISSUER', 'auth.example.com', /URL/],
  ['SEALWAX_SECRET', 'abc', /shorter than 32/],
  ['SEALWAX_SECRET', 'change-me-change-me-change-me-change-me', /well-known/],
  ['SEALWAX_SECRET', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', /repeats/],
  ['SEALWAX_SECRET', 'replace-this-with-a-long-random-secret', /placeholder/],
  ['SEALWAX_SECRET', '0123456789abcdef0123456789abcdef', /row of letters, digits or keys/],
  ['SEALWAX_ALG', 'none', /ES256/],
  ['SEALWAX_ACCESS_TTL', '15 minutes', /duration/],
  ['SEALWAX_ACCESS_TTL', '2d', /between/],
  ['SEALWAX_REFRESH_GRACE', '1h', /between/],
  ['SEALWAX_AUDIT_RETENTION', '12h', /at least 24 hours \(got 12 hours\)/],
  ['SEALWAX_BASE_PATH', 'auth/', /leading slash/],
  ['SEALWAX_ALLOWED_ORIGINS', 'https://app.example.com/', /exact origins/],
  ['SEALWAX_ALLOWED_ORIGINS', '*', /exact origins/],
  ['SEALWAX_TRUST_PROXY', 'yes', /hops/],
  ['SEALWAX_REGISTRATION', 'maybe', /open, verified, invited, closed/],
  ['SEALWAX_MIGRATE', 'no', /auto, off/],
  ['SEALWAX_DATABASE_URL', 'mysql://x', /sqlite:/],
  ['SEALWAX_DATABASE_URL', 'sqlite:postgres://u@h/d', /two schemes/],
  ['SEALWAX_DATABASE_URL', 'sqlite://sealwax.db', /write sqlite:sealwax\.db .* or sqlite:\/var\/lib/],
  ['SEALWAX_DATABASE_URL', 'sqlite:///var/lib/sealwax.db', /write sqlite:sealwax\.db .* or sqlite:\/var\/lib/],
  ['SEALWAX_DATABASE_URL', 'sqlite::memory:', /no :memory:/],
  ['SEALWAX_COOKIE_NAME', '__Host-x', /cookieName/],
  ['SEALWAX_FORWARDED_HEADER', 'x-real-ip', /x-forwarded-for, forwarded/],
  ['SEALWAX_KEEP_ALIVE', '0', /from 1 to 3600 seconds/],
  ['SEALWAX_KEEP_ALIVE', '2h', /from 1 to 3600 seconds/],
  ['SEALWAX_START_TIMEOUT', 'soon', /from 0 to 3600 seconds/],
  ['SEALWAX_PORT', '70000', /65535/],
  ['SEALWAX_DATABASE_CONNECTIONS', '2', /from 3 to 1000/],
  ['SEALWAX_DATABASE_CONNECTIONS', '1e2', /from 3 to 1000/],
  ['SEALWAX_PORT', 'http', /65535/],
  ['SEALWAX_LOG_LEVEL', 'loud', /silent/],
  ['SEALWAX_TLS_CERT', '/nowhere/cert.pem', /must both be set/],
  ['SEALWAX_ISUER', 'https://auth.example.com', /not a setting/],
  ['SEALWAX_SECRET_FILE', '/nowhere/secret', /both set/],
]

for (const [variable, value, sentence] of BAD) {
  test(`env: ${variable}=${value} is refused with a message that names the variable`, () => {
    const problems = problemsOf({ ...GOOD, [variable]: value })
    assert.ok(problems.length > 0)
    assert.match(problems[0] as string, sentence)
    assert.match(problems[0] as string, new RegExp(variable.replace('_FILE', '')))
    if (variable === 'SEALWAX_SECRET') assert.ok(!problems.join().includes(value), 'the secret is not printed')
  })
}

test('env: a secret can be read from a file; the trailing newline is removed', () => {
  using directory = tempDir()
  const file = join(directory.path, 'secret')
  writeFileSync(file, `${GOOD.SEALWAX_SECRET}\n`)
  const { SEALWAX_SECRET: _, ...rest } = GOOD
  assert.deepEqual(readEnvironment({ ...rest, SEALWAX_SECRET_FILE: file }).auth.secret, [GOOD.SEALWAX_SECRET])
  assert.match(problemsOf({ ...rest, SEALWAX_SECRET_FILE: '/nowhere' })[0] as string, /cannot be read \(ENOENT\)/)
})

test('env: lists are separated by commas or spaces', () => {
  const { auth } = readEnvironment({
    ...GOOD,
    SEALWAX_AUDIENCE: 'https://a.example.com, https://b.example.com',
    SEALWAX_SECRET: `${GOOD.SEALWAX_SECRET},Hs7L-test-only-k2Nc9Wr4Jd6Tf1Bm5Xq8`,
    SEALWAX_TRUST_PROXY: '10.0.0.0/8,fd00::/8',
  })
  assert.deepEqual(auth.audience, ['https://a.example.com', 'https://b.example.com'])
  assert.equal(auth.secret.length, 2)
  assert.deepEqual(auth.trustProxy, ['10.0.0.0/8', 'fd00::/8'])
})

test('env: SEALWAX_MAX_SESSIONS is a number, or Infinity', () => {
  assert.equal(readEnvironment({ ...GOOD, SEALWAX_MAX_SESSIONS: 'Infinity' }).auth.maxSessions, Infinity)
  assert.equal(readEnvironment({ ...GOOD, SEALWAX_MAX_SESSIONS: '5' }).auth.maxSessions, 5)
  assert.match(problemsOf({ ...GOOD, SEALWAX_MAX_SESSIONS: 'none' })[0] as string, /whole number.*Infinity/)
})
