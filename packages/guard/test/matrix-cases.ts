import { createRevocationList, type GuardErrorCode, type GuardOptions, type Requirement } from '../src/index.ts'
import { ISSUED, strangerKey, tokenFor } from './tokens.ts'

/** What the route of a case trusts and requires. */
export interface Profile {
  readonly options: Partial<GuardOptions>
  readonly requirement: [] | [Requirement]
}

const revoked = createRevocationList({ now: () => ISSUED * 1000 })
revoked.add({ kind: 'sid', sid: 'ended', until: ISSUED + 900 })
revoked.add({ kind: 'kid', kid: 'key-1', until: ISSUED - 1 })

function unavailable(): never {
  throw new Error('no keys yet')
}

export const profiles = {
  plain: { options: {}, requirement: [] },
  optional: { options: {}, requirement: [{ optional: true }] },
  demanding: {
    options: {},
    requirement: [{ scope: ['a', 'b'], role: 'admin', fresh: '5m', check: (auth) => auth.subject === 'root' }],
  },
  keyless: { options: { keys: unavailable }, requirement: [] },
  revoking: { options: { revocation: revoked }, requirement: [] },
  quoted: { options: { realm: 'the "inner" \\ room' }, requirement: [] },
  cookie: { options: { cookie: { name: 'access', origins: ['https://app.example.com'] } }, requirement: [] },
  cookieOptional: { options: { cookie: { name: 'access' } }, requirement: [{ optional: true }] },
} as const satisfies Record<string, Profile>

/** One request, and the expected response: the subject, or the code of the refusal. */
export interface Case {
  readonly name: string
  readonly to: keyof typeof profiles
  readonly method: string
  readonly target: string
  /** Header lines as sent over the network, in Latin-1. */
  readonly lines: readonly string[]
  readonly expected: GuardErrorCode | 'user-123' | 'root' | 'nobody'
}

type Row = readonly [name: string, lines: readonly string[], expected: Case['expected'], more?: Partial<Case>]

/** Its `jti` is fixed, so that its HMAC is always the same. */
const good = tokenFor({ jti: 'echo' })
const bearer = (token: string) => [`Authorization: Bearer ${token}`]
const cookie = (value: string) => `Cookie: access=${value}`

const headers: readonly Row[] = [
  ['a valid token', bearer(good), 'user-123'],
  ['no Authorization header', [], 'token_missing'],
  ['an empty header', ['Authorization:'], 'token_missing'],
  ['a header of spaces', ['Authorization:    '], 'token_missing'],
  ['only the scheme', ['Authorization: Bearer'], 'invalid_request'],
  ['the scheme and a space', ['Authorization: Bearer '], 'invalid_request'],
  ['the scheme and a tab', ['Authorization: Bearer\t'], 'invalid_request'],
  ['the scheme in lower case', [`Authorization: bearer ${good}`], 'user-123'],
  ['the scheme in capitals', [`Authorization: BEARER ${good}`], 'user-123'],
  ['the scheme in mixed case', [`Authorization: bEaReR ${good}`], 'user-123'],
  ['the name of the field in capitals', [`AUTHORIZATION: Bearer ${good}`], 'user-123'],
  ['the name of the field in lower case', [`authorization: Bearer ${good}`], 'user-123'],
  ['no space after the colon', [`Authorization:Bearer ${good}`], 'user-123'],
  ['spaces around the value', [`Authorization:   Bearer ${good}   `], 'user-123'],
  ['tabs around the value', [`Authorization:\tBearer ${good}\t`], 'user-123'],
  ['two spaces', [`Authorization: Bearer  ${good}`], 'invalid_request'],
  ['a tab instead of the space', [`Authorization: Bearer\t${good}`], 'invalid_request'],
  ['a space and a tab', [`Authorization: Bearer \t${good}`], 'invalid_request'],
  ['a no-break space instead of the space', [`Authorization: Bearer\xa0${good}`], 'token_missing'],
  ['no space', [`Authorization: Bearer${good}`], 'token_missing'],
  ['a colon', [`Authorization: Bearer:${good}`], 'token_missing'],
  ['an equals sign', [`Authorization: Bearer=${good}`], 'token_missing'],
  ['a comma', [`Authorization: Bearer,${good}`], 'invalid_request'],
  ['a comma after the token', [`Authorization: Bearer ${good},`], 'invalid_request'],
  ['two credentials in one field', [`Authorization: Bearer ${good}, Bearer ${good}`], 'invalid_request'],
  ['Basic after Bearer in one field', [`Authorization: Bearer ${good}, Basic YTpi`], 'invalid_request'],
  ['Bearer after Basic in one field', [`Authorization: Basic YTpi, Bearer ${good}`], 'invalid_request'],
  ['Basic', ['Authorization: Basic YTpi'], 'token_missing'],
  ['Digest with commas', ['Authorization: Digest username="a", realm="b", uri="/"'], 'token_missing'],
  ['Token', [`Authorization: Token ${good}`], 'token_missing'],
  ['JWT', [`Authorization: JWT ${good}`], 'token_missing'],
  ['DPoP', [`Authorization: DPoP ${good}`], 'token_missing'],
  ['only the token', [`Authorization: ${good}`], 'token_missing'],
  ['quotes around the value', [`Authorization: "Bearer ${good}"`], 'token_missing'],
  ['quotes around the token', [`Authorization: Bearer "${good}"`], 'invalid_request'],
  ['two tokens', [`Authorization: Bearer ${good} ${good}`], 'invalid_request'],
  ['a parameter', [`Authorization: Bearer ${good};q=1`], 'invalid_request'],
  ['percent encoding', [`Authorization: Bearer %65${good.slice(1)}`], 'invalid_request'],
  ['a Latin-1 letter', ['Authorization: Bearer t\xf6ken'], 'invalid_request'],
  ['a UTF-8 letter', [`Authorization: Bearer ${Buffer.from('tökén').toString('latin1')}`], 'invalid_request'],
  ['a Latin-1 letter in the scheme', [`Authorization: B\xebarer ${good}`], 'token_missing'],
  ['octets that are not UTF-8', ['Authorization: Bearer \xff\xfe'], 'invalid_request'],
  ['9 KiB of token', bearer('a'.repeat(9216)), 'token_malformed'],
  ['9 KiB of dots', bearer('.'.repeat(9216)), 'token_malformed'],
  ['9 KiB of spaces', [`Authorization: Bearer${' '.repeat(9216)}`], 'invalid_request'],
  ['9 KiB of commas', [`Authorization: Basic ${','.repeat(9216)}`], 'token_missing'],
  ['9 KiB of spaces and commas', [`Authorization: Basic ${', '.repeat(4608)}x`], 'token_missing'],
  ['a padded token', bearer(`${good}=`), 'token_malformed'],
  ['one segment', bearer('abc'), 'token_malformed'],
  ['an unsigned token', bearer(good.replace(/[^.]*$/, '')), 'token_signature_invalid'],
  ['two fields, the same', [...bearer(good), ...bearer(good)], 'invalid_request'],
  ['two fields, their names in different case', [...bearer(good), `authorization: Bearer ${good}`], 'invalid_request'],
  ['two fields, the first empty', ['Authorization:', ...bearer(good)], 'invalid_request'],
  ['two fields, the second empty', [...bearer(good), 'Authorization:'], 'invalid_request'],
  ['two fields, Basic first', ['Authorization: Basic YTpi', ...bearer(good)], 'invalid_request'],
  ['two fields, Basic last', [...bearer(good), 'Authorization: Basic YTpi'], 'invalid_request'],
  ['two fields, both Basic', ['Authorization: Basic YTpi', 'Authorization: Basic YTpi'], 'token_missing'],
  ['two fields, both empty', ['Authorization:', 'Authorization:'], 'token_missing'],
  ['two fields, the second forged', [...bearer(good), ...bearer('abc')], 'invalid_request'],
  ['three fields', [...bearer(good), 'Authorization: Basic YTpi', ...bearer(good)], 'invalid_request'],
  ['two fields with another between them', [...bearer(good), 'X-Between: 1', ...bearer(good)], 'invalid_request'],
  ['another field of authorization', [`X-Authorization: Bearer ${good}`], 'token_missing'],
  ['authorization for a proxy', [`Proxy-Authorization: Bearer ${good}`], 'token_missing'],
  ['an additional unknown field', ['Authorization: Bearer abc', 'X-Injected: yes'], 'token_malformed'],
  ['a token in the URL', [], 'token_missing', { target: `/?access_token=${good}` }],
  [
    'a token in the URL in addition to the header',
    bearer(good),
    'invalid_request',
    { target: `/?a=1&access_token=${good}` },
  ],
  [
    'an empty token in the URL in addition to the header',
    bearer(good),
    'invalid_request',
    { target: '/?access_token=' },
  ],
  ['a parameter whose name ends in access_token', bearer(good), 'user-123', { target: '/?my_access_token=1' }],
  ['a token in a cookie without the option', [cookie(good)], 'token_missing'],
]

const tokens: readonly Row[] = [
  ['an expired token', bearer(tokenFor({}, { currentDate: new Date((ISSUED - 937) * 1000) })), 'token_expired'],
  ['a token that is not valid yet', bearer(tokenFor({}, { notBefore: '1h', expiresIn: '2h' })), 'token_not_yet_valid'],
  ['a token of another issuer', bearer(tokenFor({}, { issuer: 'https://evil.example' })), 'token_issuer_invalid'],
  ['a token for another audience', bearer(tokenFor({}, { audience: 'billing' })), 'token_audience_invalid'],
  ['a token of another type', bearer(tokenFor({}, { typ: 'JWT' })), 'token_type_invalid'],
  ['a token signed with an unknown key', bearer(tokenFor({}, {}, strangerKey)), 'token_signature_invalid'],
  ['a token without sub', bearer(tokenFor(Object.fromEntries([['sub', undefined]]))), 'token_claim_missing'],
  ['alg none', bearer(`${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`), 'token_algorithm_not_allowed'],
  ['a valid token, the realm quoted', bearer(good), 'user-123', { to: 'quoted' }],
  ['no token, the realm quoted', [], 'token_missing', { to: 'quoted' }],
  ['no keys', bearer(good), 'keys_unavailable', { to: 'keyless' }],
  ['no keys and no token', [], 'token_missing', { to: 'keyless' }],
  ['an ended session', bearer(tokenFor({ sid: 'ended' })), 'token_revoked', { to: 'revoking' }],
  ['a session that has not ended', bearer(tokenFor({ sid: 'alive' })), 'user-123', { to: 'revoking' }],
  ['none of the requirements', bearer(good), 'insufficient_scope', { to: 'demanding' }],
  ['one scope of two', bearer(tokenFor({ scope: 'a' })), 'insufficient_scope', { to: 'demanding' }],
  ['no role', bearer(tokenFor({ scope: 'a b' })), 'insufficient_role', { to: 'demanding' }],
  [
    'no fresh authentication',
    bearer(tokenFor({ scope: 'a b', roles: ['admin'] })),
    'reauthentication_required',
    { to: 'demanding' },
  ],
  [
    'a check that returns false',
    bearer(tokenFor({ scope: 'a b', roles: ['admin'], auth_time: ISSUED })),
    'check_failed',
    { to: 'demanding' },
  ],
  [
    'all requirements',
    bearer(tokenFor({ scope: 'b a', roles: ['admin'], auth_time: ISSUED, sub: 'root' })),
    'root',
    { to: 'demanding' },
  ],
  ['no credentials, optional', [], 'nobody', { to: 'optional' }],
  ['Basic, optional', ['Authorization: Basic YTpi'], 'nobody', { to: 'optional' }],
  ['a valid token, optional', bearer(good), 'user-123', { to: 'optional' }],
  ['an invalid token, optional', bearer('abc'), 'token_malformed', { to: 'optional' }],
  ['two fields, optional', [...bearer(good), ...bearer(good)], 'invalid_request', { to: 'optional' }],
  ...['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method): Row[] => [
    [`${method} with a valid token`, bearer(good), 'user-123', { method }],
    [`${method} without a token`, [], 'token_missing', { method }],
  ]),
]

const same = 'Sec-Fetch-Site: same-origin'
const to = 'cookie' as const
const post = { to, method: 'POST' } as const

const cookies: readonly Row[] = [
  ['a cookie', [cookie(good)], 'user-123', { to }],
  ['a header, a cookie is accepted, too', bearer(good), 'user-123', { to }],
  ['neither', [], 'token_missing', { to }],
  ['both', [cookie(good), ...bearer(good)], 'invalid_request', { to }],
  ['both, the header malformed', [cookie(good), 'Authorization: Bearer'], 'invalid_request', { to }],
  ['a cookie among others', [`Cookie: a=1; access=${good}; b=2`], 'user-123', { to }],
  ['a cookie without spaces', [`Cookie: a=1;access=${good};b=2`], 'user-123', { to }],
  ['cookies of other names', [`Cookie: xaccess=${good}; accessx=${good}; Access=${good}`], 'token_missing', { to }],
  ['an empty cookie', [cookie('')], 'token_missing', { to }],
  ['a cookie in quotes', [cookie(`"${good}"`)], 'user-123', { to }],
  ['a cookie with one quote', [cookie(`"${good}`)], 'invalid_request', { to }],
  ['two cookies with the name', [`Cookie: access=${good}; access=${good}`], 'invalid_request', { to }],
  ['two cookies with the name, the second forged', [`Cookie: access=${good}; access=abc`], 'invalid_request', { to }],
  ['several Cookie fields', ['Cookie: a=1', cookie(good), 'Cookie: b=2'], 'user-123', { to }],
  ['two Cookie fields, both with the name', [cookie(good), cookie(good)], 'invalid_request', { to }],
  [
    'a cookie and two Basic fields',
    [cookie(good), 'Authorization: Basic YTpi', 'Authorization: Basic YTpi'],
    'user-123',
    { to },
  ],
  ['a cookie and Basic', [cookie(good), 'Authorization: Basic YTpi'], 'user-123', { to }],
  ['a cookie that is not a token', [cookie('abc')], 'token_malformed', { to }],
  ['a cookie with a Latin-1 letter', [cookie('t\xf6ken')], 'invalid_request', { to }],
  ['9 KiB of cookie', [cookie('a'.repeat(9216))], 'token_malformed', { to }],
  ['a cookie and a token in the URL', [cookie(good)], 'invalid_request', { to, target: `/?access_token=${good}` }],
  ['POST, of the same origin', [cookie(good), same], 'user-123', post],
  ['POST, typed by the user', [cookie(good), 'Sec-Fetch-Site: none'], 'user-123', post],
  ['POST, of the same site', [cookie(good), 'Sec-Fetch-Site: same-site'], 'csrf_failed', post],
  ['POST, of another site', [cookie(good), 'Sec-Fetch-Site: cross-site'], 'csrf_failed', post],
  ['POST, of an unknown Sec-Fetch-Site', [cookie(good), 'Sec-Fetch-Site: moon'], 'csrf_failed', post],
  ['POST, of two sites', [cookie(good), same, 'Sec-Fetch-Site: cross-site'], 'csrf_failed', post],
  ['POST, without an origin', [cookie(good)], 'csrf_failed', post],
  ['POST, of a null origin', [cookie(good), 'Origin: null'], 'csrf_failed', post],
  ['POST, of an allowed origin', [cookie(good), 'Origin: https://app.example.com'], 'user-123', post],
  [
    'POST, of an origin similar to an allowed one',
    [cookie(good), 'Origin: https://app.example.com.evil.example'],
    'csrf_failed',
    post,
  ],
  ['POST, of another origin', [cookie(good), 'Origin: https://evil.example'], 'csrf_failed', post],
  ['POST, of another origin, with a header', [...bearer(good), 'Origin: https://evil.example'], 'user-123', post],
  [
    'POST, of an allowed origin on another site',
    [cookie(good), 'Origin: https://app.example.com', 'Sec-Fetch-Site: cross-site'],
    'user-123',
    post,
  ],
  ['PUT, of another site', [cookie(good), 'Sec-Fetch-Site: cross-site'], 'csrf_failed', { to, method: 'PUT' }],
  ['DELETE, without an origin', [cookie(good)], 'csrf_failed', { to, method: 'DELETE' }],
  ['HEAD, of another site', [cookie(good), 'Sec-Fetch-Site: cross-site'], 'user-123', { to, method: 'HEAD' }],
  ['no credentials, optional, with the cookie option', [], 'nobody', { to: 'cookieOptional' }],
  ['a forged POST, optional', [cookie(good)], 'csrf_failed', { to: 'cookieOptional', method: 'POST' }],
  ['POST without a token, optional', [], 'nobody', { to: 'cookieOptional', method: 'POST' }],
]

function caseOf([name, lines, expected, more]: Row): Case {
  return { name, to: 'plain', method: 'GET', target: '/', lines, expected, ...more }
}

export const headerCases: readonly Case[] = headers.map(caseOf)
export const tokenCases: readonly Case[] = tokens.map(caseOf)
export const cookieCases: readonly Case[] = cookies.map(caseOf)
