import assert from 'node:assert/strict'
import { importKey, JwtError, type JwtErrorCode } from '@sealwax/jwt'

/** The error with which `importKey` refuses a source. */
export function refusedKey(source: unknown, options?: object, code: JwtErrorCode = 'ERR_JWT_KEY'): JwtError {
  const call = importKey as unknown as (source: unknown, options?: object) => unknown
  let thrown: unknown
  try {
    call(source, options)
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof JwtError, `expected ${code}, got ${String(thrown)}`)
  assert.equal(thrown.code, code, thrown.message)
  return thrown
}
