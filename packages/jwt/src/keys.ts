import type { KeyObject, webcrypto } from 'node:crypto'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  randomBytes,
} from 'node:crypto'
import { promisify, types } from 'node:util'
import type { Algorithm, AlgorithmRow, AsymmetricAlgorithm, HmacAlgorithm } from './algorithms.ts'
import { algorithms } from './algorithms.ts'
import type { Jwk, JwkFacts, PrivateJwk, PublicJwk } from './jwk.ts'
import { checkJwk, checkKid, checkSecret, refuseKey } from './jwk.ts'
import type { AsymmetricSigningKey, SigningKey, VerificationKey } from './key-material.ts'
import { getMaterial, register } from './key-material.ts'
import { fromCryptoKey, toJwk } from './key-objects.ts'
import { normalizeJwk } from './normal-jwk.ts'
import { checkOptions, isPlainObject, refuseOption } from './options.ts'
import { readPem } from './pem.ts'
import type { KeyMaterial } from './signature.ts'
import { checkSignature, createSignature, cryptoKeyInput } from './signature.ts'

/** Options of {@link importKey}. */
export interface ImportKeyOptions<A extends Algorithm = Algorithm> {
  /**
   * The algorithm. Default: `alg` of the JWK, else by curve for EC and OKP; required for a secret.
   * An RSASSA-PSS key without parameters signs and verifies PS256, and a CryptoKey what it was made
   * for. An RSA key without either signs and verifies RS256; it also verifies other RSA algorithms
   * if the option `algorithms` of `verify` lists them.
   */
  alg?: A
  /**
   * The identifier, 1 to 256 characters. Default: `kid` of the JWK, else its RFC 7638 thumbprint.
   */
  kid?: string
  /** Decrypts an encrypted PEM. */
  passphrase?: string
}

/** Options of {@link generateKey}. */
export interface GenerateKeyOptions {
  /** The identifier, 1 to 256 characters. Default: the RFC 7638 thumbprint. */
  kid?: string
  /** Bits of the RSA modulus: 2048 (default), 3072 or 4096. Only for RSA. */
  modulusLength?: 2048 | 3072 | 4096
}

/**
 * Imports a key, so that signing and verifying are synchronous.
 *
 * Refuses secrets shorter than the hash, RSA keys outside 2048 to 4096 bits, known weak keys, `use`
 * other than `sig`, `key_ops` without `verify` (public) or `sign` (private, secret), contradicting
 * members, and a private key that does not match its public key.
 *
 * @param source A JWK (RFC 7517); a PEM string with one key (SPKI, PKCS#8, PKCS#1, SEC 1) or one
 *   X.509 certificate, of which only the public key is used; a `KeyObject`, or a `CryptoKey` that
 *   is extractable; or the octets of an HMAC secret, with `alg`. The line breaks of a PEM may be
 *   missing, spelled out as `\n`, or indented.
 * @param options The algorithm and the identifier, if the key does not name them.
 * @returns A {@link SigningKey} for a private key or a secret, a {@link VerificationKey} for a
 *   public key.
 * @throws {JwtError} `ERR_JWT_KEY`; `ERR_JWT_OPTION` for the options
 */
export function importKey(
  source: Uint8Array,
  options: ImportKeyOptions<HmacAlgorithm> & { alg: HmacAlgorithm },
): SigningKey
export function importKey(source: PrivateJwk, options?: ImportKeyOptions): SigningKey
export function importKey(source: PublicJwk, options?: ImportKeyOptions): VerificationKey
export function importKey(
  source: Jwk | string | Uint8Array | KeyObject | webcrypto.CryptoKey,
  options?: ImportKeyOptions,
): SigningKey | VerificationKey
export function importKey(source: unknown, options: ImportKeyOptions = {}): SigningKey | VerificationKey {
  checkOptions(options, importOptions, 'importKey')
  const { alg, kid, passphrase } = options
  if (alg !== undefined) findAlgorithm('importKey', alg)
  if (kid !== undefined) checkKid(kid, 'importKey: kid')
  if (passphrase !== undefined && (typeof passphrase !== 'string' || typeof source !== 'string')) {
    throw refuseOption('importKey', 'passphrase', 'must be a string, and is only for a PEM', passphrase)
  }
  if (typeof source === 'string') return importJwk(toJwk(readPem(source, passphrase), alg), { alg, kid })
  if (types.isUint8Array(source)) return importSecret(source, alg, kid)
  if (types.isKeyObject(source)) return importKeyObject(source, alg, kid)
  if (types.isCryptoKey(source)) {
    const given = fromCryptoKey(source)
    if (alg !== undefined && alg !== (given.alg ?? alg)) throw refuseKey(`the CryptoKey is for ${given.alg}`)
    return importKeyObject(given.key, given.alg ?? alg, kid)
  }
  if (!isPlainObject(source))
    throw refuseKey('the key must be a JWK, a PEM string, a KeyObject or CryptoKey, or the octets of a secret')
  return importJwk(source as Jwk, { alg, kid })
}

const importOptions: ReadonlySet<string> = new Set(['alg', 'kid', 'passphrase'])

function findAlgorithm(caller: string, alg: unknown): AlgorithmRow {
  const row = algorithms.get(alg)
  if (row === undefined) throw refuseOption(caller, 'alg', "must be a supported algorithm such as 'ES256'", alg)
  return row
}

/** {@link importKey} for a JWK. Key sets pass `verify`, so that their secrets cannot sign. */
export function importJwk(
  source: Jwk,
  options: { alg?: string | undefined; kid?: string | undefined; operation?: 'sign' | 'verify' },
): SigningKey | VerificationKey {
  const jwk = normalizeJwk(source)
  const facts = checkJwk(jwk, options.alg, options.operation)
  const kid = options.kid ?? facts.kid ?? thumbprint(jwk)
  if (facts.half === 'secret') {
    const secret = createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
    return options.operation === 'verify' ? verificationKey(facts.row, kid, secret) : hmacKey(facts.row, kid, secret)
  }
  const anyAlgorithm = facts.row.kty === 'RSA' && options.alg === undefined && jwk.alg === undefined
  return asymmetricKey(facts, kid, jwk, anyAlgorithm)
}

function importKeyObject(source: KeyObject, alg: string | undefined, kid: string | undefined) {
  return source.type === 'secret'
    ? importSecret(source.export(), alg, kid)
    : importJwk(toJwk(source, alg), { alg, kid })
}

function importSecret(source: Uint8Array, alg: string | undefined, kid: string | undefined): SigningKey {
  const row = algorithms.get(alg)
  if (row?.kty !== 'oct') {
    throw refuseKey('octets are an HMAC secret and need alg HS256, HS384 or HS512; pass a PEM as a string')
  }
  checkSecret(source, row)
  const secret = createSecretKey(source)
  return hmacKey(row, kid ?? thumbprint(secret.export({ format: 'jwk' }) as Jwk), secret)
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
    // The length of a public key has been checked, and ML-DSA accepts all octets.
    const fault = row.kty === 'AKP' ? withoutMlDsa : 'the key is not valid for its type and curve'
    throw refuseKey(fault, cause)
  }
  const publicKey = verificationKey(row, kid, publicObject, anyAlgorithm)
  return privateObject === undefined ? publicKey : pair(row, privateObject, publicKey)
}

const withoutMlDsa = 'ML-DSA needs a runtime that has it, such as Node 24.7'

/** Joins a key pair after a trial signature: the public members may belong to another key. */
function pair(row: AlgorithmRow, privateKey: KeyObject, publicKey: VerificationKey): AsymmetricSigningKey {
  const material = { ...(getMaterial(publicKey) as KeyMaterial), signInput: cryptoKeyInput(row, privateKey) }
  let belongs = false
  try {
    const signature = Buffer.from(createSignature(material, material.signInput, 'pair'), 'base64url')
    belongs = checkSignature(material, Buffer.from('pair'), signature)
  } catch (cause) {
    throw refuseKey('the private key cannot sign', cause)
  }
  if (!belongs) throw refuseKey('the private key does not match the public key')
  return register(material, { publicKey }) as AsymmetricSigningKey
}

function signatureLength(row: AlgorithmRow, key: KeyObject): number {
  return row.signatureLength ?? Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

const generatePair = promisify(generateKeyPair) as unknown as (
  type: 'ec' | 'ed25519' | 'rsa' | Lowercase<Algorithm>,
  options: { namedCurve?: string; modulusLength?: number },
) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>

/**
 * Generates a key. Asynchronous, since an RSA key takes up to a second on a worker thread.
 *
 * @param alg The algorithm.
 * @param options The identifier, and the size of an RSA key.
 * @returns The key, with its public key unless it is an HMAC key.
 * @throws {JwtError} as a rejection: `ERR_JWT_OPTION`; `ERR_JWT_KEY` for the `kid`, or if the
 *   runtime does not have the algorithm
 */
export function generateKey(alg: AsymmetricAlgorithm, options?: GenerateKeyOptions): Promise<AsymmetricSigningKey>
export function generateKey(
  alg: HmacAlgorithm,
  options?: Omit<GenerateKeyOptions, 'modulusLength'>,
): Promise<SigningKey>
export function generateKey(alg: Algorithm, options?: GenerateKeyOptions): Promise<SigningKey>
export async function generateKey(alg: Algorithm, options: GenerateKeyOptions = {}): Promise<SigningKey> {
  checkOptions(options, generateOptions, 'generateKey')
  const row = findAlgorithm('generateKey', alg)
  const { kid, modulusLength } = options
  if (kid !== undefined) checkKid(kid, 'generateKey: kid')
  if (modulusLength !== undefined && (row.kty !== 'RSA' || ![2048, 3072, 4096].includes(modulusLength))) {
    const allowed = row.kty === 'RSA' ? 'must be 2048, 3072 or 4096' : `must be left out for ${row.alg}`
    throw refuseOption('generateKey', 'modulusLength', allowed, modulusLength)
  }
  if (row.kty === 'oct') return importSecret(randomBytes(row.hashLength), alg, kid)
  const { publicKey, privateKey } = await generateKeyObjects(row, modulusLength)
  const identifier = kid ?? thumbprint(publicKey.export({ format: 'jwk' }) as Jwk)
  return pair(row, privateKey, verificationKey(row, identifier, publicKey))
}

async function generateKeyObjects({ kty, alg, crv }: AlgorithmRow, modulusLength = 2048) {
  if (kty === 'RSA') return generatePair('rsa', { modulusLength })
  if (kty === 'EC') return generatePair('ec', { namedCurve: crv ?? '' })
  if (kty === 'OKP') return generatePair('ed25519', {})
  try {
    return await generatePair(alg.toLowerCase() as Lowercase<Algorithm>, {})
  } catch (cause) {
    throw refuseKey(withoutMlDsa, cause)
  }
}

const generateOptions: ReadonlySet<string> = new Set(['kid', 'modulusLength'])

/** A JWK from {@link exportJwk}: with `kid`, `alg` and `use`. */
export type ExportedJwk = Jwk & { kid: string; alg: Algorithm; use: 'sig' }

/**
 * Exports a key as a JWK: by default the public members, `kid`, `alg` and `use: 'sig'`.
 *
 * @param key A key of this package.
 * @param options `{ private: true }` exports the private or secret key, unencrypted.
 * @returns The JWK.
 * @throws {JwtError} `ERR_JWT_KEY` if an HMAC key is exported without `private: true`, if a
 *   verification key is exported with it, or if `key` was not created by this package;
 *   `ERR_JWT_OPTION` for the options
 */
export function exportJwk(key: SigningKey, options: { private: true }): ExportedJwk & PrivateJwk
export function exportJwk(key: VerificationKey, options?: { private?: false }): ExportedJwk & PublicJwk
export function exportJwk(key: VerificationKey, options: { private?: boolean } = {}): ExportedJwk {
  checkOptions(options, exportOptions, 'exportJwk')
  const wantsPrivate = options.private ?? false
  if (typeof wantsPrivate !== 'boolean') {
    throw refuseOption('exportJwk', 'private', 'must be true or false', wantsPrivate)
  }
  const material = getMaterial(key)
  if (material === undefined) throw refuseKey('the key was not created by importKey or generateKey')
  const { row, kid, signInput, verifyInput } = material
  if (!wantsPrivate && row.kty === 'oct')
    throw refuseKey('an HMAC key has no public key; export it with { private: true }')
  if (wantsPrivate && signInput === undefined)
    throw refuseKey('the key is a verification key: there is no private key to export')
  const members = (wantsPrivate ? signInput : verifyInput)?.export({ format: 'jwk' })
  return { ...(members as Jwk), kid, alg: row.alg, use: 'sig' }
}

const exportOptions: ReadonlySet<string> = new Set(['private'])

/**
 * Computes the RFC 7638 thumbprint of a JWK or a key: SHA-256, base64url, 43 characters. The
 * thumbprint of an HMAC key is a hash of the secret: do not publish it unless the secret is random.
 * @param key A JWK or a key of this package.
 * @returns The thumbprint.
 * @throws {JwtError} `ERR_JWT_KEY` if a required member is missing or the key type is not supported
 */
export function thumbprint(key: Jwk | VerificationKey): string {
  const given = (getMaterial(key)?.verifyInput.export({ format: 'jwk' }) ?? key) as Jwk
  const jwk = isPlainObject(given) ? normalizeJwk(given as Jwk) : given
  const covered = isPlainObject(jwk) ? thumbprintMembers.get(jwk.kty) : undefined
  if (covered === undefined) throw refuseKey('a thumbprint needs a key of type EC, OKP, RSA, AKP or oct')
  const members = covered.map((member) => [member, jwk[member]] as const)
  if (members.some(([, value]) => typeof value !== 'string'))
    throw refuseKey('the JWK has no string for a required member of its thumbprint')
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url')
}

/** The required members in alphabetical order (RFC 7638 §3.2, RFC 8037 §2, RFC 9964). */
const thumbprintMembers: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
  ['AKP', ['alg', 'kty', 'pub']],
  ['oct', ['k', 'kty']],
])

function publicMembers(jwk: Jwk): Jwk {
  const members = thumbprintMembers.get(jwk.kty) ?? []
  return Object.fromEntries(members.map((member) => [member, jwk[member]])) as Jwk
}
