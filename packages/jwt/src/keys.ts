import type { KeyObject } from 'node:crypto'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  randomBytes,
  X509Certificate,
} from 'node:crypto'
import { promisify, types } from 'node:util'
import type { Algorithm, AlgorithmRow, AsymmetricAlgorithm, HmacAlgorithm } from './algorithms.ts'
import { algorithms } from './algorithms.ts'
import type { Jwk, JwkFacts, PrivateJwk, PublicJwk } from './jwk.ts'
import { checkJwk, checkKid, checkSecret, refuseKey } from './jwk.ts'
import type { AsymmetricSigningKey, SigningKey, VerificationKey } from './key-material.ts'
import { materialOf, register } from './key-material.ts'
import { normalJwk } from './normal-jwk.ts'
import { checkOptions, isPlainObject, refuseOption } from './options.ts'
import type { KeyMaterial } from './signature.ts'
import { checkSignature, createSignature, cryptoKeyInput } from './signature.ts'

/** Options of {@link importKey}. */
export interface ImportKeyOptions<A extends Algorithm = Algorithm> {
  /**
   * The algorithm. Default: the JWK's `alg`; else by curve for EC and OKP; required for a secret. An RSA key for which neither names one signs with RS256
   * and verifies RS256; where the option `algorithms` of `verify` names other RSA algorithms, it verifies those.
   */
  alg?: A
  /** The identifier, 1 to 256 characters. Default: the JWK's `kid`, else its RFC 7638 thumbprint. */
  kid?: string
}

/** Options of {@link generateKey}. */
export interface GenerateKeyOptions {
  /** The identifier, 1 to 256 characters. Default: the RFC 7638 thumbprint. */
  kid?: string
  /** Bits of an RSA modulus: 2048 (default), 3072 or 4096. Refused for other algorithms. */
  modulusLength?: 2048 | 3072 | 4096
}

/**
 * Imports a key once, so that signing and verifying are synchronous and nothing about it is decided later.
 *
 * Takes a JWK (RFC 7517), a PEM text of one key (SPKI, PKCS#8, PKCS#1, SEC 1) or of one X.509 certificate, whose
 * public key is taken and whose dates, names and issuer are not checked, or the octets of an HMAC secret together with
 * `alg`. A private key or a secret gives a {@link SigningKey}, a public key a {@link VerificationKey}.
 *
 * Refused: secrets shorter than the hash, RSA keys outside 2048 to 4096 bits, known weak keys, `use` other than `sig`,
 * `key_ops` without `verify` (public) or `sign` (private, secret), members that contradict each other, halves that do
 * not belong together.
 *
 * @throws {JwtError} `ERR_JWT_KEY`, or `ERR_JWT_OPTION` for the options.
 */
export function importKey(
  source: Uint8Array,
  options: ImportKeyOptions<HmacAlgorithm> & { alg: HmacAlgorithm },
): SigningKey
export function importKey(source: PrivateJwk, options?: ImportKeyOptions): SigningKey
export function importKey(source: PublicJwk, options?: ImportKeyOptions): VerificationKey
export function importKey(source: Jwk | string | Uint8Array, options?: ImportKeyOptions): SigningKey | VerificationKey
export function importKey(source: unknown, options: ImportKeyOptions = {}): SigningKey | VerificationKey {
  checkOptions(options, importOptions, 'importKey')
  const { alg, kid } = options
  if (alg !== undefined && !algorithms.has(alg)) throw refuseOption('importKey: alg is not a supported algorithm')
  if (kid !== undefined) checkKid(kid)
  if (typeof source === 'string') return importPem(source, alg, kid)
  if (types.isUint8Array(source)) return importSecret(source, alg, kid)
  if (!isPlainObject(source)) throw refuseKey('a key is a JWK, a PEM text, or the octets of a secret')
  return importJwk(source as Jwk, { alg, kid })
}

const importOptions: ReadonlySet<string> = new Set(['alg', 'kid'])

/** {@link importKey} for a JWK; a key set asks for `verify`, so that a secret in it may not sign. */
export function importJwk(
  source: Jwk,
  options: { alg?: string | undefined; kid?: string | undefined; operation?: 'sign' | 'verify' },
): SigningKey | VerificationKey {
  const jwk = normalJwk(source)
  const facts = checkJwk(jwk, options.alg, options.operation)
  const kid = options.kid ?? facts.kid ?? thumbprint(jwk)
  if (facts.half === 'secret') {
    const secret = createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
    return options.operation === 'verify' ? verificationKey(facts.row, kid, secret) : hmacKey(facts.row, kid, secret)
  }
  const anyAlgorithm = facts.row.kty === 'RSA' && options.alg === undefined && jwk.alg === undefined
  return asymmetricKey(facts, kid, jwk, anyAlgorithm)
}

function importSecret(source: Uint8Array, alg: string | undefined, kid: string | undefined): SigningKey {
  const row = algorithms.get(alg)
  if (row?.kty !== 'oct') {
    throw refuseKey('octets are an HMAC secret and need alg HS256, HS384 or HS512; give a PEM as a string')
  }
  checkSecret(source, row)
  const secret = createSecretKey(source)
  return hmacKey(row, kid ?? thumbprint(secret.export({ format: 'jwk' }) as Jwk), secret)
}

const pemBegin = '-----BEGIN '

function importPem(text: string, alg: string | undefined, kid: string | undefined): SigningKey | VerificationKey {
  const labels = text
    .split(pemBegin)
    .slice(1)
    .map((block) => block.slice(0, Math.max(0, block.indexOf('-----'))))
    .filter((label) => label !== 'EC PARAMETERS') // openssl ecparam writes the curve's name ahead of the key
  if (labels.length === 0) {
    throw refuseKey(
      'the text is not PEM; give an HMAC secret as octets with its alg: Buffer.from(secret), as most libraries use a text, or Buffer.from(secret, "base64url") for encoded octets',
    )
  }
  if (labels.length > 1) throw refuseKey('the PEM holds more than one key or certificate; give the one to use')
  const jwk = readPem(text, labels[0] ?? '')
  return importJwk(jwk, { alg, kid })
}

function readPem(text: string, label: string): Jwk {
  if (label === 'ENCRYPTED PRIVATE KEY' || text.includes('\nProc-Type: 4,ENCRYPTED')) {
    throw refuseKey('the private key is encrypted; decrypt it first')
  }
  try {
    const key =
      label === 'CERTIFICATE'
        ? new X509Certificate(text).publicKey
        : label.endsWith('PRIVATE KEY')
          ? createPrivateKey(text)
          : createPublicKey(text)
    return key.export({ format: 'jwk' }) as Jwk
  } catch (cause) {
    throw refuseKey('the PEM does not hold a key of a supported type', cause)
  }
}

function hmacKey(row: AlgorithmRow, kid: string, secret: KeyObject): SigningKey {
  const input = cryptoKeyInput(row, secret)
  return register({ row, kid, signInput: input, verifyInput: input, signatureLength: row.hashLength }, {})
}

function verificationKey(row: AlgorithmRow, kid: string, key: KeyObject, anyAlgorithm = false): VerificationKey {
  const material = { row, kid, verifyInput: cryptoKeyInput(row, key), signatureLength: signatureLength(row, key) }
  return register(anyAlgorithm ? { ...material, others: new Map() } : material, {})
}

function asymmetricKey(
  { row, half }: JwkFacts,
  kid: string,
  jwk: Jwk,
  anyAlgorithm: boolean,
): SigningKey | VerificationKey {
  let publicObject: KeyObject
  let privateObject: KeyObject | undefined
  try {
    publicObject = createPublicKey({ key: publicMembers(jwk), format: 'jwk' })
    if (half === 'private') privateObject = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  } catch (cause) {
    throw refuseKey('the key is not valid for its type and curve', cause)
  }
  const publicKey = verificationKey(row, kid, publicObject, anyAlgorithm)
  return privateObject === undefined ? publicKey : pair(row, privateObject, publicKey)
}

/** Joins two halves after a trial signature: a JWK can name a public key that its private key does not belong to. */
function pair(row: AlgorithmRow, privateKey: KeyObject, publicKey: VerificationKey): AsymmetricSigningKey {
  const material = { ...(materialOf(publicKey) as KeyMaterial), signInput: cryptoKeyInput(row, privateKey) }
  let belongs = false
  try {
    const signature = Buffer.from(createSignature(material, material.signInput, 'pair'), 'base64url')
    belongs = checkSignature(material, Buffer.from('pair'), signature)
  } catch (cause) {
    throw refuseKey('the private key cannot sign', cause)
  }
  if (!belongs) throw refuseKey('the private key does not belong to the public key beside it')
  return register(material, { publicKey }) as AsymmetricSigningKey
}

function signatureLength(row: AlgorithmRow, key: KeyObject): number {
  return row.signatureLength ?? Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

const generatePair = promisify(generateKeyPair) as unknown as (
  type: 'ec' | 'ed25519' | 'rsa',
  options: { namedCurve?: string; modulusLength?: number },
) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>

/**
 * Generates a key. Asynchronous, since an RSA key takes a second of a worker thread.
 *
 * @throws {JwtError} (as a rejection) `ERR_JWT_OPTION`; `ERR_JWT_KEY` for the `kid`.
 */
export function generateKey(alg: AsymmetricAlgorithm, options?: GenerateKeyOptions): Promise<AsymmetricSigningKey>
export function generateKey(
  alg: HmacAlgorithm,
  options?: Omit<GenerateKeyOptions, 'modulusLength'>,
): Promise<SigningKey>
export function generateKey(alg: Algorithm, options?: GenerateKeyOptions): Promise<SigningKey>
export async function generateKey(alg: Algorithm, options: GenerateKeyOptions = {}): Promise<SigningKey> {
  checkOptions(options, generateOptions, 'generateKey')
  const row = algorithms.get(alg)
  if (row === undefined) throw refuseOption('generateKey: alg is not a supported algorithm')
  const { kid, modulusLength } = options
  if (kid !== undefined) checkKid(kid)
  if (modulusLength !== undefined && (row.kty !== 'RSA' || ![2048, 3072, 4096].includes(modulusLength))) {
    throw refuseOption('generateKey: modulusLength is 2048, 3072 or 4096, and for RSA only')
  }
  if (row.kty === 'oct') return importSecret(randomBytes(row.hashLength), alg, kid)
  const { publicKey, privateKey } =
    row.kty === 'RSA'
      ? await generatePair('rsa', { modulusLength: modulusLength ?? 2048 })
      : row.kty === 'EC'
        ? await generatePair('ec', { namedCurve: row.crv ?? '' })
        : await generatePair('ed25519', {})
  const identifier = kid ?? thumbprint(publicKey.export({ format: 'jwk' }) as Jwk)
  return pair(row, privateKey, verificationKey(row, identifier, publicKey))
}

const generateOptions: ReadonlySet<string> = new Set(['kid', 'modulusLength'])

/** A JWK as {@link exportJwk} makes it: its key named, and named as a signature key. */
export type ExportedJwk = Jwk & { kid: string; alg: Algorithm; use: 'sig' }

/**
 * The JWK of a key, public unless asked otherwise: the public members, `kid`, `alg` and `use: 'sig'`.
 *
 * With `{ private: true }` it is the private or secret key in the clear; store it encrypted.
 *
 * @throws {JwtError} `ERR_JWT_KEY` when an HMAC key is exported without `private: true`, when a key that only verifies is
 *   exported with it, or when `key` was not made by this package; `ERR_JWT_OPTION` for the options.
 */
export function exportJwk(key: SigningKey, options: { private: true }): ExportedJwk & PrivateJwk
export function exportJwk(key: VerificationKey, options?: { private?: false }): ExportedJwk & PublicJwk
export function exportJwk(key: VerificationKey, options: { private?: boolean } = {}): ExportedJwk {
  checkOptions(options, exportOptions, 'exportJwk')
  const wantsPrivate = options.private ?? false
  if (typeof wantsPrivate !== 'boolean') throw refuseOption('exportJwk: private is true or false')
  const material = materialOf(key)
  if (material === undefined) throw refuseKey('the key was not made by importKey or generateKey')
  const { row, kid, signInput, verifyInput } = material
  if (!wantsPrivate && row.kty === 'oct')
    throw refuseKey('an HMAC key has no public half; { private: true } exports it')
  if (wantsPrivate && signInput === undefined) throw refuseKey('the key only verifies: there is no private half')
  const members = (wantsPrivate ? signInput : verifyInput)?.export({ format: 'jwk' })
  return { ...(members as Jwk), kid, alg: row.alg, use: 'sig' }
}

const exportOptions: ReadonlySet<string> = new Set(['private'])

/**
 * The RFC 7638 thumbprint of a JWK or a key: SHA-256, base64url, 43 characters. Of an HMAC key it is a hash of the
 * secret: harmless for a random one, a help to guessers for a poor one.
 *
 * @throws {JwtError} `ERR_JWT_KEY` when a member that the thumbprint covers is missing, or the key type is not supported.
 */
export function thumbprint(key: Jwk | VerificationKey): string {
  const given = (materialOf(key)?.verifyInput.export({ format: 'jwk' }) ?? key) as Jwk
  const jwk = isPlainObject(given) ? normalJwk(given as Jwk) : given
  const covered = isPlainObject(jwk) ? thumbprintMembers.get(jwk.kty) : undefined
  if (covered === undefined) throw refuseKey('only EC, OKP, RSA and oct keys have a thumbprint here')
  const members = covered.map((member) => [member, jwk[member]] as const)
  if (members.some(([, value]) => typeof value !== 'string'))
    throw refuseKey('the JWK lacks a member of its thumbprint')
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url')
}

/** RFC 7638 §3.2, RFC 8037 §2: the required members, in the order of the alphabet. */
const thumbprintMembers: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
  ['oct', ['k', 'kty']],
])

function publicMembers(jwk: Jwk): Jwk {
  const members = thumbprintMembers.get(jwk.kty) ?? []
  return Object.fromEntries(members.map((member) => [member, jwk[member]])) as Jwk
}
