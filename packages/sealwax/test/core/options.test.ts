import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AuthError, type AuthOptions, createAuth } from '../../src/index.ts'
import { configure, OPTION_RULES } from '../../src/options.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { SECRET } from '../server.ts'

const nothing = () => {}
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const required = {
  issuer: 'https://auth.example.com',
  audience: 'api',
  secret: SECRET,
  store: sqliteStore('never-opened.db'),
}
const RANDOM_HEX = '3f9d2c71b0a845e6f2187dc4593ab06e'

/** Valid and invalid values of every option. `undefined` is never valid. */
const TABLE: Record<keyof AuthOptions, { good: unknown[]; bad: unknown[] }> = {
  issuer: {
    good: [
      'https://auth.example.com',
      'https://auth.example.com/tenant',
      'http://127.0.0.1:5000',
      'http://localhost',
      'http://[::1]:5000',
      ...['https://auth.example.com/', 'https://auth.example.com/tenant/', 'https://auth.example.com:8443'],
    ],
    bad: [
      ...[
        '',
        'auth.example.com',
        'http://auth.example.com',
        'http://192.168.1.7',
        'http://127.evil.example',
        'http://localhost.evil.example',
      ],
      ...[
        'http://0.0.0.0:5000',
        'ftp://127.0.0.1',
        'https://auth.example.com?x=1',
        'https://auth.example.com#x',
        'https://ann:pw@auth.example.com',
      ],
      ...[null, 7, ['https://auth.example.com']],
    ],
  },
  audience: { good: ['api', ['api'], ['a', 'b']], bad: ['', [], [''], ['a', 7], null, 7, {}] },
  secret: {
    good: [SECRET, [SECRET, RANDOM_HEX], RANDOM_HEX, '4815162342-3141592653-2718281828-1618'],
    bad: [
      ...[
        '',
        'too-brief',
        'x'.repeat(64),
        'abababababababababababababababababab',
        'secret'.repeat(8),
        'changeme-changeme-changeme-changeme',
      ],
      ...[
        'your-256-bit-secret-your-256-bit-secret',
        'a-string-secret-at-least-256-bits-long',
        'PASSWORDpasswordPASSWORDpassword1234567890',
      ],
      ...[[], [SECRET, 'too-brief'], null, 7, Buffer.from(SECRET)],
    ],
  },
  store: { good: [required.store], bad: [null, {}, 'auth.db', 7] },
  alg: {
    good: ['ES256', 'EdDSA', 'RS256', 'PS512', 'ML-DSA-65', 'HS256'],
    bad: ['none', 'es256', '', 'RS1', null, ['ES256']],
  },
  accessTtl: {
    good: [1, 60, '15m', '24h', '1d'],
    bad: [0, -1, 0.5, '25h', '2d', '900', '15 m', '15min', Number.NaN, Infinity, null, ''],
  },
  keyPeriod: { good: ['15m', '30d', 900], bad: [0, 299, '4m', '30 d', null, Infinity] },
  refreshIdle: { good: [1, '14d', '52w'], bad: [0, -1, '14 d', 'forever', null, Infinity] },
  refreshAbsolute: { good: [1, '90d'], bad: [0, -1, '3mo', null, Infinity] },
  refreshGrace: { good: [0, '30s', '5m'], bad: [-1, '6m', 'x', null] },
  refreshRecovery: { good: [0, '24h', '30d'], bad: [-1, '31d', 'x', null] },
  auditRetention: { good: ['1d', 86_400, '400d', '520w'], bad: [0, '23h', 86_399, '1y', null, Infinity] },
  issuers: { good: [[]], bad: [null, {}, 'https://old.example.com'] },
  maxSessions: { good: [1, 50, Infinity], bad: [0, -1, 1.5, Number.NaN, '5', null] },
  basePath: {
    good: ['', '/auth', '/api/v1/auth'],
    bad: ['/', 'auth', '/auth/', '//auth', '/a b', '/a?b', '/a/:id', '/*', null, 7],
  },
  allowedOrigins: {
    good: [
      ...[[], ['https://app.example.com'], ['http://localhost:5173', 'https://app.example.com:8443']],
      ['capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'http://tauri.localhost', 'app://.'],
      ['chrome-extension://mdplmiioglkpgkgblfdilgebpppgdlmk', 'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc'],
      ['safari-web-extension://7C9E2A54-9C4B-4E5D-8C2B-3F0B6C9D1A2E', 'custom+app.v2://host:8080'],
    ],
    bad: [
      ...[
        'https://app.example.com',
        ['*'],
        ['null'],
        [''],
        ['https://app.example.com/'],
        ['https://*.example.com'],
        ['app.example.com'],
      ],
      ...[['https://APP.example.com'], ['https://app.example.com:443'], ['file:///'], [7], null],
      ...[
        ['https://app.example.com', 'https://app.example.com.'],
        ['ws://app.example.com'],
        ['HTTPS://app.example.com'],
      ],
      ...[
        ['capacitor://localhost/'],
        ['capacitor://*'],
        ['capacitor://'],
        ['capacitor:localhost'],
        ['Capacitor://localhost'],
      ],
      ...[
        ['app://user@host'],
        ['app://host?x'],
        ['app://host#x'],
        ['file://localhost'],
        ['javascript://localhost'],
        ['ftp://host'],
      ],
      ...[
        ['data://host'],
        ['app://ho st'],
        ['app://host:70000'],
        ['about://blank'],
        ['blob://host'],
        ['app://h\u00f6st'],
      ],
    ],
  },
  cookieName: {
    good: ['sealwax', 'auth-2', 'A_b'],
    bad: ['', '__Host-sealwax', '__x', 'a b', 'a;b', 'a=b', 'a,b', 'a.b', 'x'.repeat(65), 7, null],
  },
  forwardedHeader: {
    good: ['x-forwarded-for', 'forwarded'],
    bad: ['X-Forwarded-For', 'x-real-ip', '', ['forwarded'], null],
  },
  trustProxy: {
    good: [
      0,
      1,
      16,
      ['127.0.0.1'],
      ['10.0.0.0/8', '255.255.255.255/32', '::1', 'fd00::/8', '::ffff:10.0.0.1'],
      ['0.0.0.0/0'],
    ],
    bad: [
      ...[
        -1,
        17,
        1.5,
        Number.NaN,
        true,
        '1',
        'loopback',
        [],
        [''],
        [7],
        null,
        ['10.0.0.0/33'],
        ['10.0.0.0/'],
        ['10.0.0/8'],
        ['10.0.0.0.'],
        ['1.2.3.4.5'],
        ['256.0.0.1'],
        ['[::1]'],
        ['::1]/x'],
        ['999.0.0.1'],
      ],
      ...[['::1/129'], [':::'], ['fe80::1%eth0'], ['example.com']],
    ],
  },
  mail: { good: [async () => {}], bad: [null, {}, 'smtp://127.0.0.1'] },
  smtpUrl: {
    good: [
      ...['smtp://127.0.0.1:1025', 'smtps://smtp.example.com', 'smtp://smtp.example.com/', 'smtp://[::1]:25'],
      ...['smtp://ann%40example.com:p%2Fw%40%3A@smtp.example.com:587'],
    ],
    bad: [
      ...['', 'smtp.example.com', 'http://smtp.example.com', 'smtp:smtp.example.com', 'smtp://', 'smtp:///x'],
      ...['smtp://user@smtp.example.com', 'smtp://:password@smtp.example.com', 'smtp://u:p%zz@smtp.example.com'],
      ...['smtp://u:p@ss@smtp.example.com', 'smtp://u:p/w@smtp.example.com', 'smtp://u:p#w@smtp.example.com'],
      ...['smtp://smtp.example.com/x', 'smtp://smtp.example.com?tls=off', 'smtp://smtp.example.com:0'],
      ...['smtp://smtp.example.com:99999', 'smtp://smtp.example.com\r\n', ' smtp://smtp.example.com', null, 7],
    ],
  },
  mailFrom: {
    good: ['no-reply@example.com', 'Sealwax <no-reply@example.com>', '"Example, Inc." <a@b>', 'Über uns <a@b>'],
    bad: [
      ...['', 'example.com', 'a@b, c@d', 'Name <a@b>, <c@d>', 'a@b\r\nBcc: c@d', 'Na\nme <a@b>', '<a@b>', 'a b@c'],
      ...['Na"me <a@b>', 'Name <a@b> x', 'Name <<a@b>>', 'Name <a@b\u0000>', null, ['a@b']],
    ],
  },
  mailLanguage: { good: ['en', 'de'], bad: ['', 'fr', 'EN', 'en_US', null, 7] },
  mailTexts: {
    good: [{}, { en: {} }, { 'pt-br': { a: { subject: 'A', paragraphs: ['b'] } } }],
    bad: [
      ...[null, [], 'x', { EN: {} }, { en: [] }, { en: { a: 'b' } }, { en: { a: { subject: 'A' } } }],
      ...[
        { subject: 'A\nB', paragraphs: ['b'] },
        { subject: ' ', paragraphs: ['b'] },
      ].map((a) => ({ en: { a } })),
      ...[
        { subject: 'A', paragraphs: [] },
        { subject: 'A', paragraphs: [7] },
      ].map((a) => ({ en: { a } })),
      ...[
        { subject: 'A', paragraphs: ['{link}'] },
        { subject: 'A', paragraphs: ['b'], html: '' },
      ].map((a) => ({
        en: { a },
      })),
    ],
  },
  appName: { good: ['Example', 'Über & Co.', 'x'], bad: ['', ' ', 'a\nb', '<b>', 'x'.repeat(65), null, 7] },
  publicUrl: {
    good: ['https://app.example.com', 'https://app.example.com/auth/', 'http://127.0.0.1:5000'],
    bad: ['', 'app.example.com', 'http://app.example.com', 'https://app.example.com?x', 'https://u@app.example.com', 7],
  },
  registration: { good: ['open', 'verified', 'invited', 'closed'], bad: ['', 'Open', true, null] },
  securityMails: { good: [true, false], bad: ['yes', 'true', 1, null] },
  inspector: { good: [true, false], bad: ['yes', 'true', 1, null] },
  pageTexts: { good: [{}], bad: [null, [], 'x', { EN: {} }, { en: {} }, { fr: { pages: {} } }] },
  apiUrl: {
    good: ['https://api.example.com', ['https://api.example.com/v1', 'http://localhost:3000']],
    bad: ['', 'api.example.com', 'http://api.example.com', [], ['https://api.example.com', 7], null, 7],
  },
  exchange: {
    good: [
      null,
      { until: '2027-03-31', read: nothing },
      { until: '2027-03-31T12:00:00Z', read: nothing },
      { until: new Date(0), read: nothing },
    ],
    bad: [
      ...[7, 'x', [], {}, { read: nothing }, { until: '2027-03-31' }, { until: '2027-02-29', read: nothing }],
      ...[
        { until: 7, read: nothing },
        { until: new Date(Number.NaN), read: nothing },
        { until: 'soon', read: nothing },
      ],
      ...[
        { until: '2027-03-31', read: undefined },
        { until: '2027-03-31', read: nothing, from: 'x' },
      ],
    ],
  },
  passwordMinLength: { good: [8, 15, 64], bad: [7, 65, 8.5, '15', Infinity, null] },
  passwordBreachUrl: {
    good: ['https://api.pwnedpasswords.com/range', 'https://ranges.example.com/v1/', 'http://127.0.0.1:8080'],
    bad: [
      ...['', 'api.pwnedpasswords.com', 'http://ranges.example.com', 'ftp://127.0.0.1', null, 7],
      ...['https://key@ranges.example.com', 'https://ranges.example.com?key=1', 'https://ranges.example.com#x'],
    ],
  },
  adminRole: { good: ['sealwax:admin', 'root', 'a.b_c-d'], bad: ['', 'a b', 'x'.repeat(65), 'ä', null, 7, ['root']] },
  revocationFeed: { good: ['public', 'clients'], bad: ['', 'Public', true, null] },
  migrate: { good: ['auto', 'off'], bad: ['', 'on', false, null] },
  loadSubject: { good: [nothing], bad: [null, {}, 'x'] },
  beforeRegister: { good: [nothing], bad: [null, {}, 'x'] },
  checkAttributes: { good: [nothing], bad: [null, {}, 'x'] },
  onEvent: { good: [nothing], bad: [null, {}, 'x'] },
  onRefusal: { good: [nothing], bad: [null, {}, 'x'] },
  logger: { good: [logger], bad: [null, {}, 'x', nothing] },
  now: { good: [Date.now], bad: [null, 0, new Date()] },
}

/** For each option, an invalid value and the rest of the message after "must". */
const MESSAGES: Record<keyof AuthOptions, readonly [value: unknown, message: string]> = {
  issuer: [
    'http://auth.example.com',
    'be https, or http on loopback: write https://auth.example.com (got "http://auth.example.com")',
  ],
  audience: [['a', 7], 'be a non-empty string or a list of them (got a list with an invalid entry)'],
  secret: [
    'too-brief',
    'be at least 32 random characters; make one with: openssl rand -base64 48 (got one that is shorter than 32 characters)',
  ],
  store: [{}, "be a store such as sqliteStore('./sealwax.db') from 'sealwax/sqlite' (got an object)"],
  alg: [
    'none',
    'be one of ES256, ES384, ES512, EdDSA, Ed25519, RS256, RS384, RS512, PS256, PS384, PS512, ML-DSA-44, ML-DSA-65, ML-DSA-87, HS256, HS384, HS512 (got "none")',
  ],
  accessTtl: ['30h', 'be between 1 second and 24 hours (got 30 hours)'],
  keyPeriod: ['4m', 'be at least 5 minutes (got 4 minutes)'],
  refreshIdle: [0, 'be at least 1 second (got 0 seconds)'],
  refreshAbsolute: ['3mo', `be a number of seconds or a duration such as '15m' (got "3mo")`],
  refreshGrace: ['6m', 'be between 0 seconds and 5 minutes (got 6 minutes)'],
  refreshRecovery: ['31d', 'be between 0 seconds and 30 days (got 31 days)'],
  auditRetention: [86_399, 'be at least 24 hours (got 86399 seconds)'],
  issuers: [{}, 'be a list (got an object)'],
  maxSessions: [1.5, 'be a whole number of at least 1, or Infinity (got 1.5)'],
  basePath: [
    'auth/',
    "be empty or a path such as '/auth', with a leading slash and no slash at the end (got a string)",
  ],
  allowedOrigins: [['*'], 'be a list of exact origins such as https://app.example.com (got something else as entry 1)'],
  cookieName: [
    '__x',
    'be 1 to 64 letters, digits and - _, and not begin with __, since __Host- is added on https (got a string)',
  ],
  forwardedHeader: ['x-real-ip', 'be one of x-forwarded-for, forwarded (got "x-real-ip")'],
  trustProxy: [
    ['10.0.0.0/33'],
    "be a number of hops (0 to 16) or a list of addresses such as '10.0.0.0/8' (got something else as entry 1)",
  ],
  mail: ['smtp://127.0.0.1', 'be a function (got a string)'],
  smtpUrl: [
    'smtp://user:hunter2/x@smtp.example.com',
    'be a URL such as smtps://user:password@smtp.example.com or smtp://user:password@smtp.example.com:587, with user and password percent-encoded (got one that cannot be parsed)',
  ],
  mailFrom: [
    'a@b\r\nBcc: c@d',
    "be an address such as 'no-reply@example.com' or 'Name <no-reply@example.com>' (got another string)",
  ],
  mailLanguage: ['fr', 'be one of en, de, or another one that mailTexts contains (got "fr")'],
  mailTexts: [
    [],
    'be an object of languages, with the texts of each kind of mail: { en: { kind: { subject, paragraphs } } } (got an empty list)',
  ],
  appName: ['a\nb', 'be 1 to 64 characters, without < > " \\ and line breaks (got a string)'],
  publicUrl: [
    'http://app.example.com',
    'be https, or http on loopback: write https://app.example.com (got "http://app.example.com")',
  ],
  registration: [true, 'be one of open, verified, invited, closed (got true)'],
  securityMails: ['yes', 'be true or false (got a string)'],
  inspector: ['yes', 'be true or false (got a string)'],
  pageTexts: [
    { fr: {} },
    'be an object of languages, each with pages, password, passwordHint and errors (got none or another at fr.pages)',
  ],
  apiUrl: [[], 'be a URL or a list of URLs (got an empty list)'],
  exchange: [{ until: '2027-03-31' }, 'have read, or issuers must name the older system (got neither)'],
  passwordMinLength: [7, 'be a whole number from 8 to 64 (got 7)'],
  passwordBreachUrl: [
    'http://ranges.example.com?key=1',
    'be an https URL, or http on loopback, without user, query and fragment (got another URL)',
  ],
  adminRole: ['a b', 'be 1 to 64 letters, digits and . _ - : (got a string)'],
  revocationFeed: ['Public', 'be one of public, clients (got "Public")'],
  migrate: ['on', 'be one of auto, off (got "on")'],
  loadSubject: [{}, 'be a function (got an object)'],
  beforeRegister: [null, 'be a function (got null)'],
  checkAttributes: [7, 'be a function (got 7)'],
  onEvent: ['x', 'be a function (got a string)'],
  onRefusal: ['x', 'be a function (got a string)'],
  logger: [
    {},
    'have the methods debug, info, warn and error, as pino does (got an object without debug, info, warn, error)',
  ],
  now: [0, 'be a function (got 0)'],
}

/** The message of the error with which `configure` refuses the options. */
function refusal(options: object): string {
  try {
    configure(options as AuthOptions)
  } catch (error) {
    assert.ok(error instanceof AuthError, String(error))
    assert.equal(error.code, 'config_invalid')
    return error.message
  }
  assert.fail('accepted')
}

describe('options of createAuth', () => {
  it('are all in the tables of this test', () => {
    for (const table of [TABLE, MESSAGES]) assert.deepEqual(Object.keys(table).sort(), [...OPTION_RULES.keys()].sort())
  })

  for (const [name, { good, bad }] of Object.entries(TABLE)) {
    it(`${name}: accepts valid values`, () => {
      for (const value of good) configure({ ...required, [name]: value })
    })

    it(`${name}: refuses invalid values and undefined with a message that names it`, () => {
      for (const value of [...bad, undefined]) {
        const sentence = refusal({ ...required, [name]: value })
        assert.match(sentence, new RegExp(`\\b${name}\\b`), `${String(value)}: ${sentence}`)
        if (name === 'secret' && typeof value === 'string' && value !== '') assert.ok(!sentence.includes(value))
      }
    })
  }

  for (const [name, [value, message]] of Object.entries(MESSAGES)) {
    it(`${name} must ${message}`, () => {
      assert.equal(refusal({ ...required, [name]: value }), `createAuth: ${name} must ${message}`)
    })
  }

  it('keyPeriod must be at least accessTtl', () => {
    const message = 'createAuth: keyPeriod must be at least accessTtl, which is 2 hours (got 1 hour)'
    assert.equal(refusal({ ...required, accessTtl: '2h', keyPeriod: '1h' }), message)
  })

  it('undefined is refused, so that a missing variable does not mean the default', () => {
    const message = 'createAuth: accessTtl must not be undefined; leave it out for its default'
    assert.equal(refusal({ ...required, accessTtl: undefined }), message)
  })

  it('must be given if they are required', () => {
    for (const name of ['issuer', 'audience', 'secret', 'store'] as const) {
      const { [name]: _, ...rest } = required
      assert.match(refusal(rest), new RegExp(`\\b${name}\\b`))
    }
  })

  it('unknown options are refused by name, also those of Object.prototype', () => {
    for (const name of ['ttl', 'accessTTL', 'constructor', 'toString', 'secrets']) {
      assert.match(refusal({ ...required, [name]: 'x' }), new RegExp(`"${name}"`))
    }
    assert.match(refusal(JSON.parse('{"__proto__":1}')), /"__proto__"/)
    const renamed = refusal({ ...required, expiresIn: '15m' })
    assert.equal(renamed, 'createAuth: there is no option "expiresIn"; write accessTtl')
    const misspelled = refusal({ ...required, audiance: 'api' })
    assert.equal(misspelled, 'createAuth: there is no option "audiance"; write audience')
    assert.equal(refusal({ ...required, colour: 'red' }), 'createAuth: there is no option "colour"')
    for (const options of [null, undefined, 'x', 7])
      assert.match(refusal(options as unknown as object), /options must be an object/)
  })

  it('have these defaults', () => {
    const { secret, beforeRegister, checkAttributes, ...config } = configure(required)
    assert.deepEqual(secret, [SECRET])
    assert.equal(beforeRegister({ email: 'a@example.com', name: undefined }, {}), undefined)
    assert.equal(checkAttributes({}, {} as never), undefined)
    assert.deepEqual(config, {
      issuer: 'https://auth.example.com',
      audience: ['api'],
      alg: 'ES256',
      accessTtl: 15 * 60_000,
      keyPeriod: 30 * 86_400_000,
      refreshIdle: 14 * 86_400_000,
      refreshAbsolute: 90 * 86_400_000,
      refreshGrace: 30_000,
      refreshRecovery: 86_400_000,
      auditRetention: 400 * 86_400_000,
      issuers: [],
      maxSessions: 100,
      basePath: '',
      allowedOrigins: [],
      cookieName: 'sealwax',
      trustProxy: 0,
      forwardedHeader: 'x-forwarded-for',
      mailFrom: { name: undefined, address: 'no-reply@auth.example.com' },
      mailTexts: {},
      mailLanguage: 'en',
      appName: 'auth.example.com',
      publicUrl: 'https://auth.example.com',
      apiUrl: ['https://auth.example.com'],
      exchange: null,
      registration: 'open',
      securityMails: true,
      inspector: false,
      pageTexts: {},
      passwordMinLength: 15,
      adminRole: 'sealwax:admin',
      revocationFeed: 'public',
      migrate: 'auto',
    })
  })

  it('mail and smtpUrl exclude each other', () => {
    const both = { ...required, mail: async () => {}, smtpUrl: 'smtp://127.0.0.1' }
    assert.equal(refusal(both), 'createAuth: mail must be left out when smtpUrl is given (got both)')
  })

  it('links in mails begin with the public URL of the routes unless publicUrl is given', () => {
    const issuer = 'https://example.com/tenant/'
    assert.equal(configure({ ...required, issuer }).publicUrl, 'https://example.com/tenant')
    assert.equal(configure({ ...required, basePath: '/auth' }).publicUrl, 'https://auth.example.com/auth')
    assert.equal(configure({ ...required, publicUrl: 'https://x.org/a/' }).publicUrl, 'https://x.org/a')
  })

  it('registration is closed by default when loadSubject is given', () => {
    const own = { ...required, loadSubject: async () => undefined }
    assert.equal(configure(own).registration, 'closed')
    assert.equal(configure({ ...own, registration: 'open' }).registration, 'open')
  })

  it('attack: an issuer in another spelling, which would drop Secure from the cookie, is refused with its canonical form', () => {
    const canonical: [issuer: string, canonical: string][] = [
      ['HTTPS://auth.example.com', 'https://auth.example.com'],
      ['https://Auth.Example.com/', 'https://auth.example.com/'],
      ['https://auth.example.com:443', 'https://auth.example.com'],
      ['http://localhost:80', 'http://localhost'],
      ['http://127.1:5000', 'http://127.0.0.1:5000'],
      ['http://[0:0:0:0:0:0:0:1]', 'http://[::1]'],
      ['https://auth.example.com.', 'https://auth.example.com'],
      ['https://auth.example.com.:8443/x', 'https://auth.example.com:8443/x'],
      ['https:/auth.example.com', 'https://auth.example.com'],
      ['https:auth.example.com', 'https://auth.example.com'],
      ['https:\\\\auth.example.com', 'https://auth.example.com'],
      ['https://auth.example.com\\tenant', 'https://auth.example.com/tenant'],
      [' https://auth.example.com', 'https://auth.example.com'],
      ['https://auth.example.com\n', 'https://auth.example.com'],
      ['ht\ttps://auth.example.com', 'https://auth.example.com'],
      ['https://auth.example.com/a b', 'https://auth.example.com/a%20b'],
      ['https://auth.example.com/a/../b', 'https://auth.example.com/b'],
      ['https://auth.example.com//', 'https://auth.example.com/'],
      ['https://auth.example.com?', 'https://auth.example.com'],
      ['https://auth.example.com#', 'https://auth.example.com'],
      ['https://@auth.example.com', 'https://auth.example.com'],
      ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ]
    for (const [issuer, expected] of canonical) {
      const sentence = refusal({ ...required, issuer })
      const message = `createAuth: issuer must be in canonical form: write ${expected} (got ${JSON.stringify(issuer)})`
      assert.equal(sentence, message)
      assert.equal(configure({ ...required, issuer: expected }).issuer, expected)
    }
  })

  it('an origin in another spelling is refused with its canonical form and without its credentials', () => {
    const origins = [
      'https://APP.example.com',
      'https://app.example.com:443',
      'https://app.example.com./',
      'https:/app.example.com',
    ]
    for (const origin of [...origins, 'https://ann:hunter2@app.example.com/x']) {
      const sentence = refusal({ ...required, allowedOrigins: ['http://localhost:5173', origin] })
      assert.match(sentence, / \(got another spelling of https:\/\/app\.example\.com as entry 2\)$/)
      assert.doesNotMatch(sentence, /hunter2/)
    }
    assert.doesNotMatch(refusal({ ...required, allowedOrigins: ['https://ann:hunter2@[x'] }), /hunter2/)
  })

  it("are copied: later changes of the caller's lists have no effect", () => {
    const options = {
      ...required,
      audience: ['api'],
      allowedOrigins: ['https://app.example.com'],
      trustProxy: ['10.0.0.0/8'],
    }
    const config = configure(options)
    options.audience.push('other')
    options.allowedOrigins.push('https://evil.example')
    options.trustProxy.push('0.0.0.0/0')
    assert.deepEqual(
      [config.audience, config.allowedOrigins, config.trustProxy],
      [['api'], ['https://app.example.com'], ['10.0.0.0/8']],
    )
    assert.ok(Object.isFrozen(config))
  })

  it('are checked before the store is opened', async () => {
    const open = () => assert.fail('opened')
    const store = Object.create(required.store, { open: { value: open } })
    await assert.rejects(createAuth({ ...required, store, secret: 'too-brief' }), { code: 'config_invalid' })
  })
})
