import { algorithms } from './algorithms.ts'
import type { JsonObject } from './compact.ts'
import { JwtError } from './errors.ts'

// No node:crypto, no Buffer: the inspector runs this file in a browser.

/** The header of a JWS (RFC 7515 §4.1). Other parameters are passed through and ignored. */
export interface JwtHeader {
  /** The algorithm of the signature. */
  alg: string
  /** The identifier of the key. */
  kid?: string
  /** The media type of the token. */
  typ?: string
  /** Any other parameter. */
  [parameter: string]: unknown
}

/**
 * Parameters that change what a signature covers, or that belong to encrypted or nested tokens
 * (RFC 7515 §4.1.11, RFC 7797, RFC 7516).
 */
export const refusedParameters: readonly string[] = ['crit', 'b64', 'zip', 'enc', 'cty']

/**
 * Checks the parameters of a header except `alg`, which {@link readAlgorithm} checks.
 *
 * @throws {JwtError} `ERR_JWT_HEADER`
 */
export function checkParameters(header: JsonObject): void {
  for (const parameter of refusedParameters) {
    if (Object.hasOwn(header, parameter)) throw wrongHeader(`the header parameter ${parameter} is not accepted`)
  }
  const { kid, typ } = header
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > 256)) {
    throw wrongHeader('kid is not a string of 1 to 256 characters')
  }
  if (typ !== undefined && typeof typ !== 'string') throw wrongHeader('typ is not a string')
}

/**
 * Returns the `alg` of a header. Case matters (RFC 8725 §3.1).
 *
 * @throws {JwtError} `ERR_JWT_ALGORITHM`
 */
export function readAlgorithm({ alg }: JsonObject): string {
  if (typeof alg !== 'string' || !algorithms.has(alg))
    throw wrongAlgorithm('the algorithm (alg) is missing or not supported')
  return alg
}

export function wrongAlgorithm(message: string): JwtError {
  return new JwtError('ERR_JWT_ALGORITHM', message)
}

function wrongHeader(message: string): JwtError {
  return new JwtError('ERR_JWT_HEADER', message)
}
