import { createRevocationList, type GuardErrorCode, type GuardOptions, type Requirement } from '../src/index.ts'
import { ISSUED, strangerKey, tokenFor } from './tokens.ts'

/** What is trusted and required where a case is sent to. */
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

/** One request, and what it must be answered with: the subject, or the code of the refusal. */
export interface Case {
  readonly name: string
  readonly to: keyof typeof profiles
  readonly method: string
  readonly target: string
  /** Header lines as they go over the wire, in Latin-1. */
  readonly lines: readonly string[]
  readonly expected: GuardErrorCode | 'user-123' | 'root' | 'nobody'
}

type Row = readonly [name: string, lines: readonly string[], expected: Case['expected'], more?: Partial<Case>]

/** Its `jti` is fixed, so that HMAC signs it the same each time. */
const good = tokenFor({ jti: 'echo' })
const bearer = (token: string) => [`Authorization: Bearer ${token}`]
const cookie = (value: string) => `Cookie: access=${value}`

const headers: readonly Row[] = [
  ['a good token', bearer(good), 'user-123'],
  ['no Authorization header', [], 'token_missing'],
  ['an empty header', ['Authorization:'], 'token_missing'],
  ['a header of blanks', ['Authorization:    '], 'token_missing'],
  ['the scheme alone', ['Authorization: Bearer'], 'invalid_request'],
  ['the scheme and a blank', ['Authorization: Bearer '], 'invalid_request'],
  ['the scheme and a tab', ['Authorization: Bearer\t'], 'invalid_request'],
  ['the scheme in lower case', [`Authorization: bearer ${good}`], 'user-123'],
  ['the scheme in capitals', [`Authorization: BEARER ${good}`], 'user-123'],
  ['the scheme in both', [`Authorization: bEaReR ${good}`], 'user-123'],
  ['the name of the field in capitals', [`AUTHORIZATION: Bearer ${good}`], 'user-123'],
  ['the name of the field in lower case', [`authorization: Bearer ${good}`], 'user-123'],
  ['no blank after the colon', [`Authorization:Bearer ${good}`], 'user-123'],
  ['blanks around the value', [`Authorization:   Bearer ${good}   `], 'user-123'],
  ['tabs around the value', [`Authorization:\tBearer ${good}\t`], 'user-123'],
  ['two blanks', [`Authorization: Bearer  ${good}`], 'invalid_request'],
  ['a tab for the blank', [`Authorization: Bearer\t${good}`], 'invalid_request'],
  ['a blank and a tab', [`Authorization: Bearer \t${good}`], 'invalid_request'],
  ['a no-break space for the blank', [`Authorization: Bearer\xa0${good}`], 'token_missing'],
  ['no blank', [`Authorization: Bearer${good}`], 'token_missing'],
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
  ['the token alone', [`Authorization: ${good}`], 'token_missing'],
  ['quotes around it all', [`Authorization: "Bearer ${good}"`], 'token_missing'],
  ['quotes around the token', [`Authorization: Bearer "${good}"`], 'invalid_request'],
  ['two tokens', [`Authorization: Bearer ${good} ${good}`], 'invalid_request'],
  ['a parameter', [`Authorization: Bearer ${good};q=1`], 'invalid_request'],
  ['percent encoding', [`Authorization: Bearer %65${good.slice(1)}`], 'invalid_request'],
  ['a letter of Latin-1', ['Authorization: Bearer t\xf6ken'], 'invalid_request'],
  ['a letter of UTF-8', [`Authorization: Bearer ${Buffer.from('tökén').toString('latin1')}`], 'invalid_request'],
  ['a letter of Latin-1 in the scheme', [`Authorization: B\xebarer ${good}`], 'token_missing'],
  ['octets that are no UTF-8', ['Authorization: Bearer \xff\xfe'], 'invalid_request'],
  ['9 KiB of token', bearer('a'.repeat(9216)), 'token_malformed'],
  ['9 KiB of dots', bearer('.'.repeat(9216)), 'token_malformed'],
  ['9 KiB of blanks', [`Authorization: Bearer${' '.repeat(9216)}`], 'invalid_request'],
  ['9 KiB of commas', [`Authorization: Basic ${','.repeat(9216)}`], 'token_missing'],
  ['9 KiB of blanks and commas', [`Authorization: Basic ${', '.repeat(4608)}x`], 'token_missing'],
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
  ['two fields apart', [...bearer(good), 'X-Between: 1', ...bearer(good)], 'invalid_request'],
  ['another field of authorization', [`X-Authorization: Bearer ${good}`], 'token_missing'],
  ['authorization for a proxy', [`Proxy-Authorization: Bearer ${good}`], 'token_missing'],
  ['a field that another one smuggles in', ['Authorization: Bearer abc', 'X-Injected: yes'], 'token_malformed'],
  ['a token in the URL', [], 'token_missing', { target: `/?access_token=${good}` }],
  ['a token in the URL beside the header', bearer(good), 'invalid_request', { target: `/?a=1&access_token=${good}` }],
  ['an empty token in the URL beside the header', bearer(good), 'invalid_request', { target: '/?access_token=' }],
  ['a parameter whose name ends in access_token', bearer(good), 'user-123', { target: '/?my_access_token=1' }],
  ['a token in a cookie nobody asked for', [cookie(good)], 'token_missing'],
]

const tokens: readonly Row[] = [
  ['an expired token', bearer(tokenFor({}, { currentDate: new Date((ISSUED - 937) * 1000) })), 'token_expired'],
  ['a token of tomorrow', bearer(tokenFor({}, { notBefore: '1h', expiresIn: '2h' })), 'token_not_yet_valid'],
  ['a token of another issuer', bearer(tokenFor({}, { issuer: 'https://evil.example' })), 'token_issuer_invalid'],
  ['a token for another audience', bearer(tokenFor({}, { audience: 'billing' })), 'token_audience_invalid'],
  ['a token of another type', bearer(tokenFor({}, { typ: 'JWT' })), 'token_type_invalid'],
  ['a token of a stranger', bearer(tokenFor({}, {}, strangerKey)), 'token_signature_invalid'],
  ['a token without sub', bearer(tokenFor(Object.fromEntries([['sub', undefined]]))), 'token_claim_missing'],
  ['alg none', bearer(`${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`), 'token_algorithm_not_allowed'],
  ['a good token, the realm quoted', bearer(good), 'user-123', { to: 'quoted' }],
  ['no token, the realm quoted', [], 'token_missing', { to: 'quoted' }],
  ['no keys', bearer(good), 'keys_unavailable', { to: 'keyless' }],
  ['no keys and no token', [], 'token_missing', { to: 'keyless' }],
  ['an ended session', bearer(tokenFor({ sid: 'ended' })), 'token_revoked', { to: 'revoking' }],
  ['a session that goes on', bearer(tokenFor({ sid: 'alive' })), 'user-123', { to: 'revoking' }],
  ['nothing of what is required', bearer(good), 'insufficient_scope', { to: 'demanding' }],
  ['one scope of two', bearer(tokenFor({ scope: 'a' })), 'insufficient_scope', { to: 'demanding' }],
  ['no role', bearer(tokenFor({ scope: 'a b' })), 'insufficient_role', { to: 'demanding' }],
  [
    'no fresh authentication',
    bearer(tokenFor({ scope: 'a b', roles: ['admin'] })),
    'reauthentication_required',
    { to: 'demanding' },
  ],
  [
    'a check that says no',
    bearer(tokenFor({ scope: 'a b', roles: ['admin'], auth_time: ISSUED })),
    'check_failed',
    { to: 'demanding' },
  ],
  [
    'all that is required',
    bearer(tokenFor({ scope: 'b a', roles: ['admin'], auth_time: ISSUED, sub: 'root' })),
    'root',
    { to: 'demanding' },
  ],
  ['nothing, and nothing required', [], 'nobody', { to: 'optional' }],
  ['Basic, and nothing required', ['Authorization: Basic YTpi'], 'nobody', { to: 'optional' }],
  ['a good token, and nothing required', bearer(good), 'user-123', { to: 'optional' }],
  ['a bad token, and nothing required', bearer('abc'), 'token_malformed', { to: 'optional' }],
  ['two fields, and nothing required', [...bearer(good), ...bearer(good)], 'invalid_request', { to: 'optional' }],
  ...['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method): Row[] => [
    [`${method} with a good token`, bearer(good), 'user-123', { method }],
    [`${method} without a token`, [], 'token_missing', { method }],
  ]),
]

const same = 'Sec-Fetch-Site: same-origin'
const to = 'cookie' as const
const post = { to, method: 'POST' } as const

const cookies: readonly Row[] = [
  ['a cookie', [cookie(good)], 'user-123', { to }],
  ['a header where a cookie would do', bearer(good), 'user-123', { to }],
  ['neither', [], 'token_missing', { to }],
  ['both', [cookie(good), ...bearer(good)], 'invalid_request', { to }],
  ['both, the header malformed', [cookie(good), 'Authorization: Bearer'], 'invalid_request', { to }],
  ['a cookie among others', [`Cookie: a=1; access=${good}; b=2`], 'user-123', { to }],
  ['a cookie without blanks', [`Cookie: a=1;access=${good};b=2`], 'user-123', { to }],
  ['cookies of other names', [`Cookie: xaccess=${good}; accessx=${good}; Access=${good}`], 'token_missing', { to }],
  ['an empty cookie', [cookie('')], 'token_missing', { to }],
  ['a cookie in quotes', [cookie(`"${good}"`)], 'invalid_request', { to }],
  ['two cookies of the name', [`Cookie: access=${good}; access=${good}`], 'invalid_request', { to }],
  ['two cookies of the name, the second forged', [`Cookie: access=${good}; access=abc`], 'invalid_request', { to }],
  ['two fields of cookies', ['Cookie: a=1', cookie(good), 'Cookie: b=2'], 'user-123', { to }],
  ['two fields of cookies, both of the name', [cookie(good), cookie(good)], 'invalid_request', { to }],
  [
    'a cookie and two fields of Basic',
    [cookie(good), 'Authorization: Basic YTpi', 'Authorization: Basic YTpi'],
    'user-123',
    { to },
  ],
  ['a cookie and Basic', [cookie(good), 'Authorization: Basic YTpi'], 'user-123', { to }],
  ['a cookie that is no token', [cookie('abc')], 'token_malformed', { to }],
  ['a cookie of Latin-1', [cookie('t\xf6ken')], 'invalid_request', { to }],
  ['9 KiB of cookie', [cookie('a'.repeat(9216))], 'token_malformed', { to }],
  ['a cookie and a token in the URL', [cookie(good)], 'invalid_request', { to, target: `/?access_token=${good}` }],
  ['POST, of the same origin', [cookie(good), same], 'user-123', post],
  ['POST, typed by the user', [cookie(good), 'Sec-Fetch-Site: none'], 'user-123', post],
  ['POST, of the same site', [cookie(good), 'Sec-Fetch-Site: same-site'], 'csrf_failed', post],
  ['POST, of another site', [cookie(good), 'Sec-Fetch-Site: cross-site'], 'csrf_failed', post],
  ['POST, of a site nobody knows', [cookie(good), 'Sec-Fetch-Site: moon'], 'csrf_failed', post],
  ['POST, of two sites', [cookie(good), same, 'Sec-Fetch-Site: cross-site'], 'csrf_failed', post],
  ['POST, of no origin', [cookie(good)], 'csrf_failed', post],
  ['POST, of a null origin', [cookie(good), 'Origin: null'], 'csrf_failed', post],
  ['POST, of an allowed origin', [cookie(good), 'Origin: https://app.example.com'], 'user-123', post],
  [
    'POST, of nearly an allowed origin',
    [cookie(good), 'Origin: https://app.example.com.evil.example'],
    'csrf_failed',
    post,
  ],
  ['POST, of a foreign origin', [cookie(good), 'Origin: https://evil.example'], 'csrf_failed', post],
  ['POST, of a foreign origin, with a header', [...bearer(good), 'Origin: https://evil.example'], 'user-123', post],
  [
    'POST, of an allowed origin on another site',
    [cookie(good), 'Origin: https://app.example.com', 'Sec-Fetch-Site: cross-site'],
    'user-123',
    post,
  ],
  ['PUT, of another site', [cookie(good), 'Sec-Fetch-Site: cross-site'], 'csrf_failed', { to, method: 'PUT' }],
  ['DELETE, of no origin', [cookie(good)], 'csrf_failed', { to, method: 'DELETE' }],
  ['HEAD, of another site', [cookie(good), 'Sec-Fetch-Site: cross-site'], 'user-123', { to, method: 'HEAD' }],
  ['nothing, and nothing required, cookies known', [], 'nobody', { to: 'cookieOptional' }],
  ['a forged POST, and nothing required', [cookie(good)], 'csrf_failed', { to: 'cookieOptional', method: 'POST' }],
  ['POST without a token, and nothing required', [], 'nobody', { to: 'cookieOptional', method: 'POST' }],
]

function caseOf([name, lines, expected, more]: Row): Case {
  return { name, to: 'plain', method: 'GET', target: '/', lines, expected, ...more }
}

export const headerCases: readonly Case[] = headers.map(caseOf)
export const tokenCases: readonly Case[] = tokens.map(caseOf)
export const cookieCases: readonly Case[] = cookies.map(caseOf)
