import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type Algorithm, type ExportedJwk, exportJwk, generateKey, JwtError, type SigningKey } from '@sealwax/jwt'
import { AuthError } from '../errors.ts'
import { ALGORITHMS } from './options.ts'

/** A key for a program of one's own, as text. The server does not know it. */
export interface GeneratedKey {
  /** The private key, or the secret. */
  readonly privateText: string
  /** Absent for a secret. */
  readonly publicText?: string
}

/**
 * Generates a key.
 *
 * @param format `jwk`: one line of JSON; `pem`: PKCS #8 and SPKI, without a key id
 * @param kid the key id in the JWK. Default: the RFC 7638 thumbprint
 * @throws {AuthError} `config_invalid`
 */
export async function generateKeyText(alg: string, format: 'jwk' | 'pem', kid?: string): Promise<GeneratedKey> {
  const key = await generate(alg, kid)
  const jwk = exportJwk(key, { private: true })
  if (format === 'jwk') {
    return { privateText: lineOf(jwk), ...(key.publicKey && { publicText: lineOf(exportJwk(key.publicKey)) }) }
  }
  if (key.publicKey === undefined) throw invalid(`${alg} has a secret, which has no PEM`)
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  return {
    privateText: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicText: String(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })),
  }
}

async function generate(alg: string, kid: string | undefined): Promise<SigningKey> {
  if (!ALGORITHMS.includes(alg)) throw invalid(`--alg must be one of ${ALGORITHMS.join(' ')}`)
  try {
    return await generateKey(alg as Algorithm, kid === undefined ? {} : { kid })
  } catch (error) {
    throw error instanceof JwtError ? invalid(error.message) : error
  }
}

const lineOf = (jwk: ExportedJwk) => `${JSON.stringify(jwk)}\n`

const invalid = (detail: string) => new AuthError('config_invalid', detail)
