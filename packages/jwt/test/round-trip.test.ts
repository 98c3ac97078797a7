import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import type { Algorithm, JwtPayload, SigningKey } from '@sealwax/jwt'
import { createLocalJWKSet, exportJwk, generateKey, importKey, sign, verify } from '@sealwax/jwt'
import { createSigner, createVerifier } from 'fast-jwt'
import { importJWK, jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { audience, issuer, rsaJwk } from './craft.ts'

const names: Algorithm[] = [
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'HS256', 'HS384', 'HS512'] as const),
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
]
const keyOf = (alg: Algorithm) =>
  /^[RP]S/.test(alg) ? importKey(rsaJwk(), { alg, kid: alg }) : generateKey(alg, { kid: alg })
const keys = new Map<Algorithm, SigningKey>()
for (const alg of names) keys.set(alg, await keyOf(alg))

/** Claims of every JSON type, by number, so that a failure can be reproduced. */
function claimsOf(n: number): JwtPayload {
  return {
    sub: `usr_${n}`,
    jti: n.toString(36),
    scope: 'read write',
    text: ['', 'ä€😀', '"\\/\b\f\n\r\t\u0000', '\u2028\u2029', ' '.repeat(n), 'x'.repeat(n * 40)][n % 6],
    number: [0, -1, 0.1, 1e21, Number.MAX_SAFE_INTEGER, 5e-324][n % 6],
    nested: { list: [n, null, true, { a: [[], {}] }], [`k${n}`]: n % 2 === 0 },
  }
}

const rounds = 12
const options = { issuer, audience, typ: 'JWT' }

interface Peer {
  algorithms: readonly Algorithm[]
  sign(payload: JwtPayload, alg: Algorithm): string | Promise<string>
  verify(token: string, alg: Algorithm): unknown
}

const jwk = (alg: Algorithm) => exportJwk(keys.get(alg) as SigningKey, { private: true })
const privateOf = (alg: Algorithm) =>
  alg.startsWith('HS') ? Buffer.from(jwk(alg).k ?? '', 'base64url') : createPrivateKey({ key: jwk(alg), format: 'jwk' })
const publicOf = (alg: Algorithm) =>
  alg.startsWith('HS') ? Buffer.from(jwk(alg).k ?? '', 'base64url') : createPublicKey({ key: jwk(alg), format: 'jwk' })
/** fast-jwt accepts only strings and octets. */
const asPem = (key: ReturnType<typeof publicOf>, type: 'spki' | 'pkcs8') =>
  Buffer.isBuffer(key) ? key : String(key.export({ format: 'pem', type }))
const lifetime = 900

const peers: Record<string, Peer> = {
  jose: {
    algorithms: names,
    sign: async (payload, alg) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg, kid: alg, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('15m')
        .sign(await importJWK(jwk(alg), alg)),
    verify: async (token, alg) => {
      const { d, p, q, dp, dq, qi, ...rest } = jwk(alg)
      return (await jwtVerify(token, await importJWK(rest, alg), { issuer, audience, typ: 'JWT', algorithms: [alg] }))
        .payload
    },
  },
  jsonwebtoken: {
    algorithms: names.filter((alg) => !alg.startsWith('Ed')),
    sign: (payload, alg) =>
      jsonwebtoken.sign(payload, privateOf(alg), {
        algorithm: alg as 'HS256',
        keyid: alg,
        issuer,
        audience,
        expiresIn: lifetime,
      }),
    verify: (token, alg) =>
      jsonwebtoken.verify(token, publicOf(alg), { algorithms: [alg as 'HS256'], issuer, audience }),
  },
  'fast-jwt': {
    algorithms: names.filter((alg) => alg !== 'Ed25519'),
    sign: (payload, alg) =>
      createSigner({
        key: asPem(privateOf(alg), 'pkcs8'),
        algorithm: alg as 'HS256',
        kid: alg,
        iss: issuer,
        aud: audience,
        expiresIn: lifetime * 1000,
      })(payload),
    verify: (token, alg) =>
      createVerifier({
        key: asPem(publicOf(alg), 'spki'),
        algorithms: [alg as 'HS256'],
        allowedIss: issuer,
        allowedAud: audience,
      })(token),
  },
}

function held(payload: unknown, claims: JwtPayload): void {
  const { iss, aud, iat, exp, ...rest } = payload as JwtPayload
  assert.deepEqual({ ...rest }, JSON.parse(JSON.stringify(claims)))
  assert.deepEqual([iss, aud, Number(exp) - Number(iat)], [issuer, audience, lifetime])
}

for (const [name, peer] of Object.entries(peers)) {
  test(`round trip with ${name}: ${rounds} sets of claims in ${peer.algorithms.length} algorithms, in both directions`, async () => {
    for (const alg of peer.algorithms) {
      const key = keys.get(alg) as SigningKey
      const set = alg.startsWith('HS') ? key : createLocalJWKSet({ keys: [exportJwk(key.publicKey ?? key)] })
      for (let n = 0; n < rounds; n++) {
        const claims = claimsOf(n)
        held(await peer.verify(sign(claims, key, { ...options, expiresIn: lifetime }), alg), claims)
        held(verify(await peer.sign(claims, alg), set, options).payload, claims)
      }
    }
  })
}

const python = `
import json, sys, time, jwt
from jwt import PyJWK
out = []
for line in sys.stdin:
    case = json.loads(line)
    key = PyJWK.from_dict(case["jwk"], algorithm=case["alg"])
    public = PyJWK.from_dict(case["public"], algorithm=case["alg"])
    seen = jwt.decode(case["token"], public.key, algorithms=[case["alg"]], issuer=case["iss"], audience=case["aud"])
    now = int(time.time())
    made = jwt.encode({**case["claims"], "iss": case["iss"], "aud": case["aud"], "iat": now, "exp": now + 900}, key.key, algorithm=case["alg"], headers={"kid": case["alg"]})
    print(json.dumps({"seen": seen, "made": made}))
`
/** The interpreter of the system has Debian's packages, also where another one comes first. */
const interpreter = ['python3', '/usr/bin/python3'].find(
  (path) => spawnSync(path, ['-c', 'import jwt, cryptography; jwt.PyJWK']).status === 0,
)
const pythonAlgorithms = names.filter((alg) => alg !== 'Ed25519')
const withPython = `round trip with PyJWT: ${rounds} sets of claims in ${pythonAlgorithms.length} algorithms, in both directions`

if (interpreter === undefined) {
  console.log('PyJWT: skipped, python3 cannot import jwt and cryptography')
  test(withPython, { skip: 'python3 cannot import jwt and cryptography' }, () => {})
} else {
  test(withPython, () => {
    const cases = pythonAlgorithms.flatMap((alg) =>
      Array.from({ length: rounds }, (_, n) => {
        const claims = claimsOf(n)
        const token = sign(claims, keys.get(alg) as SigningKey, { ...options, expiresIn: lifetime })
        const { kty, crv, x, y, n: modulus, e, k } = jwk(alg)
        const shown = { kty, crv, x, y, n: modulus, e, k }
        return { alg, jwk: jwk(alg), public: shown, token, claims, iss: issuer, aud: audience }
      }),
    )
    const input = cases.map((one) => `${JSON.stringify(one)}\n`).join('')
    const { stdout, stderr, status } = spawnSync(interpreter, ['-c', python], {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    assert.equal(status, 0, stderr)
    const answers = stdout.trim().split('\n')
    assert.equal(answers.length, cases.length)
    answers.forEach((line, index) => {
      const { alg, claims } = cases[index] as (typeof cases)[number]
      const { seen, made } = JSON.parse(line) as { seen: JwtPayload; made: string }
      held(seen, claims)
      held(verify(made, keys.get(alg) as SigningKey, options).payload, claims)
    })
  })
}
