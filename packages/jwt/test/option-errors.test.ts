import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, exportJwk, generateKey, importKey, sign, toSeconds, verify } from '@sealwax/jwt'
import { inspect } from '@sealwax/jwt/inspect'
import { hs256, secret } from './craft.ts'

// biome-ignore lint/suspicious/noExplicitAny: the calls are wrong on purpose
type Call = (options: any) => unknown

const anyone = { issuer: null, audience: null, typ: null }
const calls: Record<string, Call> = {
  sign: (changed) => sign({}, hs256, { ...anyone, expiresIn: 60, ...changed }),
  verify: (changed) => verify('', hs256, { ...anyone, ...changed }),
  inspect: (changed) => inspect('', changed),
  importKey: (options) => importKey(secret, { alg: 'HS256', ...options }),
  generateKey: (options) => generateKey('ES256', options),
  exportJwk: (options) => exportJwk(hs256, options),
  createRemoteJWKSet: (options) => createRemoteJWKSet('https://auth.example.com/keys', options),
}

const aDuration = "must be a number of seconds or a duration such as '15m'"
const names = 'must be a non-empty string, a list of such strings, a function, or null to accept any'

/** An option, a wrong value, and the message after the name of the function. */
const sentences: Record<string, readonly [option: string, value: unknown, sentence: string][]> = {
  sign: [
    ['issuer', '', 'issuer must be a non-empty string, or null to leave iss out (got an empty string)'],
    [
      'audience',
      [],
      'audience must be a non-empty string, a list of such strings, or null to leave aud out (got an empty list)',
    ],
    ['typ', 1, "typ must be a media type such as 'at+jwt', or null to leave it out (got 1)"],
    ['expiresIn', '1 hour', `expiresIn ${aDuration} (got '1 hour')`],
    ['expiresIn', 0, 'expiresIn must be at least 1 second (got 0)'],
    ['notBefore', 0.5, `notBefore ${aDuration} (got 0.5)`],
    ['jwtid', null, 'jwtid must be a non-empty string (got null)'],
    ['currentDate', new Date('x'), 'currentDate must be a valid Date (got an invalid Date)'],
    ['subject', 'usr_1', 'unknown option "subject"'],
    ['jwtid', undefined, 'jwtid must not be undefined'],
  ],
  verify: [
    ['issuer', '', `issuer ${names} (got an empty string)`],
    ['audience', [''], `audience ${names} (got a list)`],
    ['typ', '', "typ must be a media type such as 'at+jwt', or null to accept any (got an empty string)"],
    ['algorithms', 'HS256', 'algorithms must be a non-empty list of supported algorithms (got a string)'],
    [
      'algorithms',
      ['none'],
      "algorithms must be a non-empty list of supported algorithms such as 'ES256' (got a list)",
    ],
    ['requiredClaims', 'sub', 'requiredClaims must be a non-empty list of non-empty strings (got a string)'],
    ['clockTolerance', 100, 'clockTolerance must be at most 60 seconds (got 100)'],
    ['maxLifetime', '0s', "maxLifetime must be at least 1 second (got '0s')"],
    ['senderConstrained', true, "senderConstrained must be 'refuse' or 'ignore' (got true)"],
    ['subject', 7, 'subject must be a non-empty string (got 7)'],
    ['jwtid', '', 'jwtid must be a non-empty string (got an empty string)'],
    ['maxTokenAge', 0, 'maxTokenAge must be at least 1 second (got 0)'],
    ['numericSubject', 'yes', 'numericSubject must be true or false (got a string)'],
    ['currentDate', 5, 'currentDate must be a valid Date (got 5)'],
    ['maxTokenLength', 0, 'maxTokenLength must be a whole number from 1 to 1048576 (got 0)'],
    ['maxMembers', '9', 'maxMembers must be a whole number from 1 to 65536 (got a string)'],
  ],
  inspect: [
    ['keys', [], 'keys must be a non-empty list of keys with kid and a supported alg (got an empty list)'],
    ['clockTolerance', 100, 'clockTolerance must be at most 60 seconds (got 100)'],
  ],
  importKey: [
    ['alg', 'none', "alg must be a supported algorithm such as 'ES256' (got a string)"],
    ['passphrase', 5, 'passphrase must be a string, and is only for a PEM (got 5)'],
    ['kid', '', 'kid must be a string of 1 to 256 characters (got an empty string)'],
    ['kid', 'k'.repeat(257), 'kid must be a string of 1 to 256 characters (got 257 characters)'],
  ],
  generateKey: [
    ['kid', 5, 'kid must be a string of 1 to 256 characters (got 5)'],
    ['modulusLength', 2048, 'modulusLength must be left out for ES256 (got 2048)'],
  ],
  exportJwk: [['private', 'yes', 'private must be true or false (got a string)']],
  createRemoteJWKSet: [
    ['cacheMaxAge', '2d', "cacheMaxAge must be from 1 to 86400 seconds (got '2d')"],
    ['coolDown', 0, 'coolDown must be from 1 to 86400 seconds (got 0)'],
    ['timeout', 'hunter2', `timeout ${aDuration} (got a string)`],
    ['now', 5, 'now must be a function (got 5)'],
    ['onKeys', {}, 'onKeys must be a function (got an object)'],
    ['fetch', 'node-fetch', 'fetch must be a function (got a string)'],
    ['issuer', '', 'issuer must be a non-empty string (got an empty string)'],
    ...[[], 'http://keycloak:8080', ['https://keycloak'], ['http://keycloak:8080/'], ['keycloak']].map(
      (wrong): [string, unknown, string] => [
        'allowHttp',
        wrong,
        `allowHttp must be a list of origins such as ['http://keycloak:8080'] (got ${typeof wrong === 'string' ? 'a string' : wrong.length === 0 ? 'an empty list' : 'a list'})`,
      ],
    ),
  ],
}

for (const [caller, cases] of Object.entries(sentences)) {
  for (const [option, value, sentence] of cases) {
    test(`${caller}: the message for a wrong option is "${sentence}"`, async () => {
      await assert.rejects(async () => calls[caller]?.({ [option]: value }), { message: `${caller}: ${sentence}` })
    })
  }
}

const rejections: [name: string, call: () => unknown, message: string][] = [
  ['toSeconds', () => toSeconds('900'), `toSeconds: duration ${aDuration} (got '900')`],
  [
    'generateKey with another algorithm',
    () => generateKey(256 as never),
    "generateKey: alg must be a supported algorithm such as 'ES256' (got 256)",
  ],
  [
    'generateKey with another RSA modulus',
    () => generateKey('RS256', { modulusLength: 1024 as never }),
    'generateKey: modulusLength must be 2048, 3072 or 4096 (got 1024)',
  ],
  [
    'sign without options',
    () => sign({}, hs256, undefined as never),
    'sign: options must be an object { issuer, audience, typ, … } (got undefined)',
  ],
  [
    'createRemoteJWKSet with a path',
    () => createRemoteJWKSet('/keys'),
    'createRemoteJWKSet: url must be an absolute URL (got a string)',
  ],
  [
    'createRemoteJWKSet with http',
    () => createRemoteJWKSet('http://example.com/'),
    'createRemoteJWKSet: url must be https, or http on a loopback address or an origin in allowHttp (got a string)',
  ],
]

for (const [name, call, message] of rejections) {
  test(`${name}: the message describes what is allowed and what was given`, async () => {
    await assert.rejects(async () => call(), { code: 'ERR_JWT_OPTION', message })
  })
}
