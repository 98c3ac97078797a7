import type { Answer, Question } from './round.ts'

const right = (text: string, explanation: string): Answer => ({ text, isRight: true, explanation })
const wrong = (text: string, explanation: string): Answer => ({ text, isRight: false, explanation })

/** The ten questions of the quiz. Their order here does not matter. */
export const questions: readonly Question[] = [
  {
    id: 'parts',
    text: 'What are the parts of a signed JWT, in their order?',
    answers: [
      right('Header, payload, signature', 'Each part is encoded in base64url, and there are dots between them.'),
      wrong(
        'Payload, header, signature',
        'The header is first: it says how the token is signed, which a verifier has to know before the rest.',
      ),
      wrong(
        'Header, payload, key',
        'The key is never in the token. The third part is the signature, which was made with the key.',
      ),
      wrong(
        'User name, password, expiry',
        'A token contains no password. It says that somebody has logged in, and the log-in is over.',
      ),
    ],
    step: { id: 'parts', number: 1 },
  },
  {
    id: 'claims',
    text: 'Where are the claims, such as `sub` and `exp`?',
    answers: [
      right('In the payload', 'The payload is a JSON object, and its members are the claims.'),
      wrong('In the header', 'The header is about the token itself: `alg`, `typ`, `kid`.'),
      wrong('In the signature', 'The signature is computed from the header and the payload. It contains no claims.'),
      wrong(
        'In a database, under the id of the token',
        'That describes a session id or an opaque token. A JWT carries its claims with it.',
      ),
    ],
    step: { id: 'parts', number: 1 },
  },
  {
    id: 'signature',
    text: 'What does the signature protect?',
    answers: [
      right(
        'The header and the payload, against changes',
        'If one character of either part changes, the signature does not match any more.',
      ),
      wrong(
        'The payload, against being read',
        'A signature hides nothing. Whoever has the token can decode the payload.',
      ),
      wrong(
        'The payload only, against changes',
        'It covers the header, too. Otherwise an attacker could change `alg` or `kid` without being noticed.',
      ),
      wrong(
        'The token, against being stolen and used',
        'A stolen token is unchanged, so its signature is valid. HTTPS, a short lifetime and careful storage help.',
      ),
    ],
    step: { id: 'tamper', number: 4 },
  },
  {
    id: 'signer',
    text: 'An API verifies tokens with HS256. Who can make a token that it accepts?',
    answers: [
      right(
        'Everybody who knows the secret, so the API could, too',
        'HS256 uses one secret to sign and to verify. Whoever can verify can also sign.',
      ),
      wrong(
        'Only the server where users log in',
        'That is true for RS256 and ES256: only the issuer has the private key. With HS256 the API has the same secret.',
      ),
      wrong(
        'Everybody who has seen a valid token',
        'A valid token can be sent again, but the secret cannot be computed from it, if the secret is long and random.',
      ),
      wrong('Everybody who knows the algorithm', 'The algorithm is public. Only the secret must be unknown.'),
    ],
    step: { id: 'keys', number: 8 },
  },
  {
    id: 'sending',
    text: 'How does a client usually send an access token to an API?',
    answers: [
      right(
        'In the header `Authorization`, after the word `Bearer`',
        'That is RFC 6750. The client does it in each request.',
      ),
      wrong(
        'In the URL, as `?access_token=…`',
        'URLs are kept in logs and in the history of browsers, where others can read the token.',
      ),
      wrong('In the JSON body', 'Many requests have no body, such as GET. The header works for all of them.'),
      wrong(
        'In the header `WWW-Authenticate`',
        'That is a header of the reply: with 401, the server says which credentials it expects.',
      ),
    ],
    step: { id: 'log-in', number: 3 },
  },
  {
    id: 'readers',
    text: 'Who can read the claims of a signed token?',
    answers: [
      right(
        'Everybody who has the token',
        'Base64url is an encoding and not encryption: decoding needs no key. So keep secrets out of the payload.',
      ),
      wrong('Only those who have the key', 'The key is needed to sign and to verify. Nobody needs it to read.'),
      wrong(
        'Only the server that issued it',
        'The client can read it, and so can each server that the token passes through.',
      ),
      wrong(
        'Nobody, before it is decrypted',
        'It is not encrypted. There are encrypted tokens (JWE), but they have five parts and are rarer.',
      ),
    ],
    step: { id: 'sealed', number: 2 },
  },
  {
    id: 'expiry',
    text: 'What does `"exp": 1800000000` mean?',
    answers: [
      right(
        'From this moment on, the token must not be accepted',
        'It is a moment: so many seconds after the beginning of 1970, in UTC.',
      ),
      wrong(
        'The token is valid for so many seconds',
        'That is `expires_in` in the reply to a log-in. `exp` is a moment and not a duration.',
      ),
      wrong(
        'So many milliseconds after the beginning of 1970',
        '`Date.now()` counts milliseconds, but `exp` counts seconds. Whoever confuses them makes tokens that expired in 1970, or that are valid for thousands of years.',
      ),
      wrong(
        'At this moment, the server deletes the token',
        'There is nothing to delete. Each verifier compares `exp` with its own clock.',
      ),
    ],
    step: { id: 'expiry', number: 5 },
  },
  {
    id: 'guard',
    text: 'The valid token of a student arrives at a route that is for teachers only. What does the guard reply?',
    answers: [
      right('403', 'The guard knows who it is, and this user may not do this. That is authorisation.'),
      wrong('401', '401 means that the guard does not know who it is. Another log-in would change nothing here.'),
      wrong(
        '200, since the token is valid',
        'A valid token says who it is (authentication). What this user may do is another question.',
      ),
      wrong(
        'A redirect to the log-in page',
        'The student is logged in already. Besides, an API replies with a status, and the client decides what to show.',
      ),
    ],
    step: { id: 'guard', number: 10 },
  },
  {
    id: 'subject',
    text: 'What does the claim `sub` say?',
    answers: [
      right('Who the token is about', 'It is the subject: the id of the user, which never changes.'),
      wrong('Which API the token is for', 'That is `aud`, the audience.'),
      wrong('Who made the token', 'That is `iss`, the issuer.'),
      wrong(
        'The current email address of the user',
        'Addresses change, and one may later belong to somebody else. So `sub` should be an id that stays.',
      ),
    ],
    step: { id: 'log-in', number: 3 },
  },
  {
    id: 'stateless',
    text: 'To verify a token is stateless: the API looks nothing up. What follows?',
    answers: [
      right(
        'After a log-out, the token is still accepted until `exp`',
        'Unless the API is told of the log-out. So access tokens are short-lived, and some verifiers also get a list of revoked ones.',
      ),
      wrong(
        'After a log-out, the token is refused at once',
        'The token itself does not change. A verifier that looks nothing up cannot know of the log-out.',
      ),
      wrong(
        'The server that issues tokens stores nothing, either',
        'It stores users and sessions: to refresh a token, it looks up the session.',
      ),
      wrong('The API asks the issuer about each token', 'That would be a lookup. With the key, the API decides alone.'),
    ],
    step: { id: 'log-out', number: 7 },
  },
]
