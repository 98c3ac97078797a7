import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'

/** A key pair of a client. */
export async function clientKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) }
}

export type ClientKey = Awaited<ReturnType<typeof clientKey>>

/** A proof for a request; `claims` replaces its claims. */
export async function proofOf(
  { privateKey, jwk }: ClientKey,
  target: { method?: string; url: string; token?: string; time: number },
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { method = 'POST', url, token, time } = target
  const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }
  const payload = { jti: randomUUID(), htm: method, htu: url, iat: Math.floor(time / 1000), ...ath, ...claims }
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk }).sign(privateKey)
}
