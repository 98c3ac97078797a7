import { generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
/** The public key of the issuer. */
export const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }

/** An issuer on loopback: metadata for each path, and one set of keys. */
export class FakeIssuer {
  readonly #server = createServer(({ url = '' }, response) => {
    const path = url.replace('/.well-known/openid-configuration', '')
    const named = this.#issuers.find((issuer) => issuer.replace(/\/$/, '') === `${this.origin}${path}`)
    const document = url === '/keys' ? { keys: this.keys } : named && { issuer: named, jwks_uri: `${this.origin}/keys` }
    response.writeHead(document === undefined ? 404 : 200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(document ?? {}))
  })
  readonly #issuers: string[] = []
  origin = ''
  keys: object[] = [jwk]

  async start() {
    await new Promise<void>((ready) => this.#server.listen(0, '127.0.0.1', ready))
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Returns the issuer with this path. */
  at(path: string): string {
    const issuer = `${this.origin}${path}`
    this.#issuers.push(issuer)
    return issuer
  }

  stop() {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** A token with any header and claims, signed by the issuer or with another key. */
export function token(header: object, claims: object, key: KeyObject = rsa.privateKey): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: 'RS256', kid: 'k1', ...header })}.${encode(claims)}`
  return `${input}.${signBytes('sha256', Buffer.from(input), key).toString('base64url')}`
}
