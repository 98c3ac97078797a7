/** What a claim or a member of a header means. */
export interface MemberMeaning {
  /** The name in words: `Expiration time`. */
  readonly title: string
  /** One sentence. */
  readonly meaning: string
  /** Where it is defined: the number of the RFC and the section; or another standard. */
  readonly source:
    | { readonly rfc: number; readonly section: string }
    | { readonly standard: string; readonly url: string }
  /** Whether its value is a date in seconds. */
  readonly isDate?: true
}

type Row = readonly [name: string, title: string, meaning: string, rfc: number, section: string]

/** Claims that RFCs define. */
const CLAIM_ROWS: readonly Row[] = [
  [
    'iss',
    'Issuer',
    'The server that issued the token. An API accepts tokens only of issuers that it trusts.',
    7519,
    '4.1.1',
  ],
  [
    'sub',
    'Subject',
    'Whom the token is about, usually the id of the user. It is unique at this issuer.',
    7519,
    '4.1.2',
  ],
  ['aud', 'Audience', 'Whom the token is for. An API refuses a token that does not name it here.', 7519, '4.1.3'],
  ['exp', 'Expiration time', 'From this moment on, the token must be refused.', 7519, '4.1.4'],
  ['nbf', 'Not before', 'Before this moment, the token must be refused.', 7519, '4.1.5'],
  ['iat', 'Issued at', 'When the token was issued, which tells its age.', 7519, '4.1.6'],
  [
    'jti',
    'Token id',
    'The id of this token. With it, a server can recognise a token that is used twice or was revoked.',
    7519,
    '4.1.7',
  ],
  ['client_id', 'Client id', 'The application that asked for the token.', 8693, '4.3'],
  ['scope', 'Scope', 'What the token may be used for: names with spaces between them.', 8693, '4.2'],
  ['act', 'Actor', 'Who acts on behalf of the subject.', 8693, '4.1'],
  ['may_act', 'Authorised actor', 'Who may act on behalf of the subject.', 8693, '4.4'],
  [
    'cnf',
    'Confirmation',
    'A key. Whoever uses the token must prove to have it, so a stolen token alone is useless.',
    7800,
    '3.1',
  ],
  ['roles', 'Roles', 'The roles of the user. What each may do is decided by the API.', 9068, '2.2.3.1'],
  ['groups', 'Groups', 'The groups that the user belongs to.', 9068, '2.2.3.1'],
  ['entitlements', 'Entitlements', 'What the user is entitled to.', 9068, '2.2.3.1'],
  [
    'authorization_details',
    'Authorisation details',
    'What the token permits, in more detail than scope can say.',
    9396,
    '9.1',
  ],
  ['acr', 'Authentication level', 'How strong the log-in was, as a name that issuer and API agreed on.', 9470, '6.1'],
  [
    'amr',
    'Authentication methods',
    'How the user logged in, such as pwd for a password or otp for a one-time code.',
    8176,
    '2',
  ],
  ['token_introspection', 'Introspection', 'The reply of an introspection endpoint, signed.', 9701, '5'],
  [
    'events',
    'Events',
    'What has happened: the token is a notification of security events, not a permission.',
    8417,
    '2.2',
  ],
  ['htm', 'HTTP method', 'A proof of possession: the method of the request that it belongs to.', 9449, '4.2'],
  ['htu', 'HTTP URI', 'A proof of possession: the address of the request that it belongs to.', 9449, '4.2'],
  ['ath', 'Access token hash', 'A proof of possession: the hash of the access token that it belongs to.', 9449, '4.2'],
]

const OPENID = 'OpenID Connect Core'
const OPENID_URL = 'https://openid.net/specs/openid-connect-core-1_0.html#'

type StandardRow = readonly [name: string, title: string, meaning: string, standard: string, url: string]

/** Claims that other standards define. */
const STANDARD_ROWS: readonly StandardRow[] = [
  [
    'nonce',
    'Nonce',
    'A random value of the log-in request. It shows that this token belongs to that request.',
    OPENID,
    `${OPENID_URL}IDToken`,
  ],
  ['azp', 'Authorised party', 'The application that the ID token was issued to.', OPENID, `${OPENID_URL}IDToken`],
  [
    'at_hash',
    'Access token hash',
    'The hash of the access token that came with this ID token.',
    OPENID,
    `${OPENID_URL}CodeIDToken`,
  ],
  [
    'c_hash',
    'Code hash',
    'The hash of the authorisation code that came with this ID token.',
    OPENID,
    `${OPENID_URL}HybridIDToken`,
  ],
  ['name', 'Name', 'The full name of the user.', OPENID, `${OPENID_URL}StandardClaims`],
  ['given_name', 'Given name', 'The first name of the user.', OPENID, `${OPENID_URL}StandardClaims`],
  ['family_name', 'Family name', 'The last name of the user.', OPENID, `${OPENID_URL}StandardClaims`],
  [
    'preferred_username',
    'User name',
    'What the user wants to be called. It can change, so it does not identify anyone.',
    OPENID,
    `${OPENID_URL}StandardClaims`,
  ],
  ['picture', 'Picture', 'The address of a picture of the user.', OPENID, `${OPENID_URL}StandardClaims`],
  [
    'email',
    'E-mail address',
    'The e-mail address of the user. It can change, so it does not identify anyone.',
    OPENID,
    `${OPENID_URL}StandardClaims`,
  ],
  [
    'email_verified',
    'E-mail verified',
    'Whether the issuer has checked that the address belongs to the user.',
    OPENID,
    `${OPENID_URL}StandardClaims`,
  ],
  ['phone_number', 'Phone number', 'The phone number of the user.', OPENID, `${OPENID_URL}StandardClaims`],
  ['locale', 'Language', 'The language and region of the user.', OPENID, `${OPENID_URL}StandardClaims`],
  ['zoneinfo', 'Time zone', 'The time zone of the user.', OPENID, `${OPENID_URL}StandardClaims`],
  [
    'sid',
    'Session id',
    'The session that the token belongs to. When it ends, so should the token.',
    'OpenID Connect Front-Channel Logout',
    'https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout',
  ],
]

/** Dates, in seconds since 1970, besides those of RFC 7519. */
const DATE_ROWS: readonly StandardRow[] = [
  [
    'auth_time',
    'Time of log-in',
    'When the user last logged in, which may be long before the token was issued.',
    OPENID,
    `${OPENID_URL}IDToken`,
  ],
  ['updated_at', 'Time of update', 'When the data about the user last changed.', OPENID, `${OPENID_URL}StandardClaims`],
]

const HEADER_ROWS: readonly Row[] = [
  [
    'alg',
    'Algorithm',
    'How the token is signed or, with five parts, how its key is encrypted. A verifier decides itself which algorithms it accepts.',
    7515,
    '4.1.1',
  ],
  [
    'typ',
    'Type',
    'What kind of token this is. An access token has at+jwt, so that no other token is taken for one.',
    7515,
    '4.1.9',
  ],
  [
    'kid',
    'Key id',
    'Which key of the issuer to verify with. It is a hint: only keys that are trusted already count.',
    7515,
    '4.1.4',
  ],
  ['cty', 'Content type', 'What the payload is. JWT means that another token is inside.', 7515, '4.1.10'],
  [
    'jku',
    'JWK Set URL',
    'Where to fetch keys. Whoever wrote the token chose it, so a verifier must not follow it.',
    7515,
    '4.1.2',
  ],
  [
    'jwk',
    'JSON Web Key',
    'A public key. Whoever wrote the token chose it, so it proves nothing about the issuer.',
    7515,
    '4.1.3',
  ],
  [
    'x5u',
    'X.509 URL',
    'Where to fetch a certificate. Whoever wrote the token chose it, so a verifier must not follow it.',
    7515,
    '4.1.5',
  ],
  [
    'x5c',
    'X.509 certificates',
    'A certificate chain. It is worth something only if it ends at an authority that is trusted already.',
    7515,
    '4.1.6',
  ],
  ['x5t', 'X.509 thumbprint', 'The SHA-1 hash of a certificate, to find the key.', 7515, '4.1.7'],
  ['x5t#S256', 'X.509 thumbprint', 'The SHA-256 hash of a certificate, to find the key.', 7515, '4.1.8'],
  [
    'crit',
    'Critical',
    'Members of the header that a verifier must understand. If it does not, it must refuse the token.',
    7515,
    '4.1.11',
  ],
  ['b64', 'Encoded payload', 'With false, the payload is signed as it is, not as base64url.', 7797, '3'],
  ['enc', 'Content encryption', 'How the content is encrypted.', 7516, '4.1.2'],
  ['zip', 'Compression', 'How the content was compressed before it was encrypted.', 7516, '4.1.3'],
  [
    'epk',
    'Ephemeral public key',
    'A key that was made for this token only, to agree on an encryption key.',
    7518,
    '4.6.1.1',
  ],
  ['apu', 'Producer information', 'Who agreed on the key, part of its derivation.', 7518, '4.6.1.2'],
  ['apv', 'Recipient information', 'With whom the key was agreed on, part of its derivation.', 7518, '4.6.1.3'],
  ['iv', 'Initialisation vector', 'A random value that was used to encrypt the key.', 7518, '4.7.1.1'],
  ['tag', 'Authentication tag', 'Shows that the encrypted key was not changed.', 7518, '4.7.1.2'],
  ['p2s', 'Salt', 'A random value that was mixed with the password.', 7518, '4.8.1.1'],
  [
    'p2c',
    'Iterations',
    'How often the password was hashed. A verifier must limit it, since each costs time.',
    7518,
    '4.8.1.2',
  ],
]

const DATES = ['exp', 'nbf', 'iat']

function fromRow([name, title, meaning, rfc, section]: Row): [string, MemberMeaning] {
  return [name, { title, meaning, source: { rfc, section }, ...(DATES.includes(name) && { isDate: true }) }]
}

function fromStandard([name, title, meaning, standard, url]: StandardRow): [string, MemberMeaning] {
  return [name, { title, meaning, source: { standard, url } }]
}

/** What is known about claims, by name. */
export const CLAIMS: ReadonlyMap<string, MemberMeaning> = new Map([
  ...CLAIM_ROWS.map(fromRow),
  ...STANDARD_ROWS.map(fromStandard),
  ...DATE_ROWS.map((row): [string, MemberMeaning] => {
    const [name, meaning] = fromStandard(row)
    return [name, { ...meaning, isDate: true }]
  }),
])

/** What is known about the members of a header, by name. */
export const HEADER_MEMBERS: ReadonlyMap<string, MemberMeaning> = new Map(HEADER_ROWS.map(fromRow))

/** What to say about a claim that no standard defines. */
export function unknownClaim(name: string): MemberMeaning {
  return /^https?:|^urn:/.test(name)
    ? {
        title: 'A claim of an application',
        meaning: 'Its name is an address, so that no other application uses the same name for something else.',
        source: { rfc: 7519, section: '4.2' },
      }
    : {
        title: 'A claim of an application',
        meaning: 'No standard defines it here. Issuer and API have agreed on what it means.',
        source: { rfc: 7519, section: '4.3' },
      }
}

/** What to say about a member of a header that no standard defines. */
export const UNKNOWN_HEADER_MEMBER: MemberMeaning = {
  title: 'A member of an application',
  meaning: 'No standard defines it here. A verifier that does not know it ignores it, unless crit lists it.',
  source: { rfc: 7515, section: '4.3' },
}

/** The address of the section in which a member is defined, and its name. */
export function sourceOf({ source }: MemberMeaning): { readonly name: string; readonly url: string } {
  if ('standard' in source) return { name: source.standard, url: source.url }
  const { rfc, section } = source
  return { name: `RFC ${rfc}, section ${section}`, url: `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}` }
}
