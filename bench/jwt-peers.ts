import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
  type KeyObject,
  randomBytes,
  sign as signOnce,
  timingSafeEqual,
  verify as verifyOnce,
} from 'node:crypto'
import { createRequire } from 'node:module'
import { JwtVerifier } from 'aws-jwt-verify'
import { createSigner, createVerifier, type Algorithm as FastAlgorithm } from 'fast-jwt'
import { importJWK, jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import type { Contestant } from './measure.ts'
import { AUDIENCE, claimsAt, ISSUER, type KeySet, LIFETIME, TYPE } from './tokens.ts'

/** How another library verifies and signs with one key. What it does not support is absent. */
export interface Peer {
  readonly name: string
  /**
   * Whether it uses Node's cryptography. A library that has its own does not count for the targets.
   */
  readonly onNode: boolean
  readonly verify?: (token: string) => unknown
  readonly verifyAsync?: (token: string) => Promise<unknown>
  readonly sign?: (index: number) => unknown
  readonly signAsync?: (index: number) => Promise<unknown>
}

/** The peers that support the algorithm of a key. All of them check issuer, audience and expiry. */
export async function peersFor(key: KeySet): Promise<Peer[]> {
  const makers = [joseFor, jsonwebtokenFor, fastJwtFor, awsFor, nodeRsFor]
  const peers = await Promise.all(makers.map((make) => make(key)))
  return peers.filter((peer) => peer !== undefined)
}

async function joseFor({ alg, ours, privateKey, publicKey }: KeySet): Promise<Peer> {
  const [secret, open] = await Promise.all([
    importJWK(privateKey.export({ format: 'jwk' }) as Parameters<typeof importJWK>[0], alg),
    importJWK(publicKey.export({ format: 'jwk' }) as Parameters<typeof importJWK>[0], alg),
  ])
  const header = { alg, kid: ours.kid, typ: TYPE }
  return {
    name: 'jose',
    onNode: true,
    verifyAsync: (token) =>
      jwtVerify(token, open, { issuer: ISSUER, audience: AUDIENCE, typ: TYPE, algorithms: [alg] }),
    signAsync: (index) =>
      new SignJWT(claimsAt(index))
        .setProtectedHeader(header)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setJti(jti())
        .setIssuedAt()
        .setExpirationTime(`${LIFETIME} s`)
        .sign(secret),
  }
}

function jsonwebtokenFor({ alg, ours, privateKey, publicKey }: KeySet): Peer | undefined {
  if (alg.startsWith('Ed')) return undefined
  const algorithm = alg as jsonwebtoken.Algorithm
  const checks = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE }
  return {
    name: 'jsonwebtoken',
    onNode: true,
    verify: (token) => jsonwebtoken.verify(token, publicKey, checks),
    sign: (index) =>
      jsonwebtoken.sign(claimsAt(index), privateKey, {
        ...{ algorithm, keyid: ours.kid, header: { alg, typ: TYPE } },
        ...{ issuer: ISSUER, audience: AUDIENCE, expiresIn: LIFETIME, jwtid: jti() },
      }),
  }
}

function fastJwtFor({ alg, ours, pem, secret }: KeySet): Peer {
  const algorithm = alg as FastAlgorithm
  const verify = createVerifier({
    ...{ key: pem?.public ?? (secret as Buffer), algorithms: [algorithm], cache: false },
    ...{ allowedIss: ISSUER, allowedAud: AUDIENCE },
  })
  const sign = createSigner({
    ...{ key: pem?.private ?? (secret as Buffer), algorithm, kid: ours.kid, header: { alg, typ: TYPE } },
    ...{ iss: ISSUER, aud: AUDIENCE, expiresIn: LIFETIME * 1000 },
  })
  return { name: 'fast-jwt', onNode: true, verify, sign: (index) => sign({ ...claimsAt(index), jti: jti() }) }
}

function awsFor({ alg, ours, publicKey }: KeySet): Peer | undefined {
  if (alg.startsWith('HS') || alg.startsWith('PS')) return undefined
  const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks.json` })
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg, use: 'sig', kid: ours.kid }
  verifier.cacheJwks({ keys: [jwk as Parameters<typeof verifier.cacheJwks>[0]['keys'][number]] })
  return { name: 'aws-jwt-verify', onNode: true, verify: (token) => verifier.verifySync(token) }
}

/**
 * The functions of the native module that are called. The package around the module lists binaries
 * that cannot be locked on every platform.
 */
interface NodeRs {
  verifySync(token: string, key: Buffer, checks: object): unknown
  signSync(claims: object, key: Buffer, header: object): string
}

/** Algorithms that the module supports. */
const NODE_RS: ReadonlySet<string> = new Set([
  ...['HS256', 'HS384', 'HS512', 'ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'],
])

function nodeRsFor({ alg, ours, pem, secret }: KeySet): Peer | undefined {
  if (!NODE_RS.has(alg)) return undefined
  let native: NodeRs
  try {
    native = createRequire(import.meta.url)('@node-rs/jsonwebtoken-linux-x64-gnu') as NodeRs
  } catch {
    return undefined
  }
  const open = pem === undefined ? (secret as Buffer) : Buffer.from(pem.public)
  const closed = pem === undefined ? (secret as Buffer) : Buffer.from(pem.private)
  const header = { algorithm: alg, keyId: ours.kid, type: TYPE }
  return {
    name: '@node-rs/jsonwebtoken',
    onNode: false,
    verify: (token) => native.verifySync(token, open, { algorithms: [alg], iss: [ISSUER], aud: [AUDIENCE] }),
    sign(index) {
      const { sub, ...data } = claimsAt(index)
      const iat = Math.floor(Date.now() / 1000)
      return native.signSync(
        { sub, iss: ISSUER, aud: AUDIENCE, iat, exp: iat + LIFETIME, jti: jti(), data },
        closed,
        header,
      )
    },
  }
}

/** Peers do not generate a `jti`. Their callers would generate it like this. */
function jti(): string {
  return randomBytes(16).toString('base64url')
}

/**
 * The bare primitive: bytes in, bytes or a boolean out, with both APIs of node:crypto where there
 * are two. It is as cheap as Node offers it: it gets key objects without an options object around
 * them, and ECDSA signatures in the DER form of OpenSSL, not in that of JWS.
 */
export function primitivesFor(key: KeySet, tokens: readonly string[]): { verify: Contestant[]; sign: Contestant[] } {
  const { alg } = key
  const hash = alg.startsWith('Ed') ? null : `sha${alg.slice(2)}`
  const inputs = tokens.map((token) => Buffer.from(token.slice(0, token.lastIndexOf('.'))))
  const input = (index: number) => inputs[index % inputs.length] as Buffer
  if (alg.startsWith('HS')) return hmacs(key, hash as string, inputs)
  const [open, closed] = [withPadding(key.publicKey, alg), withPadding(key.privateKey, alg)]
  const signatures = inputs.map((one) => signOnce(hash, one, closed))
  const signature = (index: number) => signatures[index % signatures.length] as Buffer
  const once = {
    verify: { name: 'crypto.verify', run: (index: number) => verifyOnce(hash, input(index), open, signature(index)) },
    sign: { name: 'crypto.sign', run: (index: number) => signOnce(hash, input(index), closed) },
  }
  if (hash === null) return { verify: [once.verify], sign: [once.sign] }
  const streamed = {
    verify: (index: number) => createVerify(hash).update(input(index)).verify(open, signature(index)),
    sign: (index: number) => createSign(hash).update(input(index)).sign(closed),
  }
  return {
    verify: [once.verify, { name: 'createVerify', run: streamed.verify }],
    sign: [once.sign, { name: 'createSign', run: streamed.sign }],
  }
}

function hmacs(
  { privateKey }: KeySet,
  hash: string,
  inputs: readonly Buffer[],
): { verify: Contestant[]; sign: Contestant[] } {
  const name = 'createHmac'
  const mac = (input: Buffer) => createHmac(hash, privateKey).update(input).digest()
  const input = (index: number) => inputs[index % inputs.length] as Buffer
  const macs = inputs.map(mac)
  const run = (index: number) => timingSafeEqual(mac(input(index)), macs[index % macs.length] as Buffer)
  return { verify: [{ name, run }], sign: [{ name, run: (index) => mac(input(index)) }] }
}

/** For PSS, a separate key object with the padding as properties: the cheapest way to pass it. */
function withPadding(key: KeyObject, alg: string): KeyObject {
  if (!alg.startsWith('PS')) return key
  const jwk = key.export({ format: 'jwk' })
  const own =
    key.type === 'private'
      ? createPrivateKey({ key: jwk, format: 'jwk' })
      : createPublicKey({ key: jwk, format: 'jwk' })
  return Object.assign(own, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 })
}
