import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { exportJwk, generateKey, type JwtPayload } from '@sealwax/jwt'
import { createGuard, type Guard, GuardError, type GuardOptions } from '../src/index.ts'
import { audience, bearing, ISSUED, tokenFor } from './tokens.ts'

export const pair = await generateKey('ES256')
export const nextPair = await generateKey('ES256')

/**
 * A real issuer on loopback. `pages` may be changed at any time; a missing page is 404, a number is
 * a status, a string is sent unchanged.
 */
export async function startIssuer(t: TestContext, path = '') {
  const asked: string[] = []
  const pages = new Map<string, unknown>()
  const server = createServer((req, res) => {
    const url = req.url ?? ''
    asked.push(url)
    const page = pages.get(url) ?? 404
    if (page === 'silence') return
    if (page === 'redirect') res.setHeader('Location', '/elsewhere')
    res.statusCode = page === 'redirect' ? 302 : typeof page === 'number' ? page : 200
    res.end(typeof page === 'string' ? page : JSON.stringify(page))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = `${origin}${path}`
  const oauth = `/.well-known/oauth-authorization-server${path.replace(/\/$/, '')}`
  const openid = `${path.replace(/\/$/, '')}/.well-known/openid-configuration`
  pages.set('/jwks', { keys: [exportJwk(pair)] })
  return { asked, pages, origin, issuer, oauth, openid, metadata: { issuer, jwks_uri: `${origin}/jwks` } }
}

export function guardOf(t: TestContext, issuer: string, options: Partial<GuardOptions> = {}) {
  const clock = { seconds: ISSUED }
  const guard = createGuard({ issuer, audience, revocation: null, now: () => clock.seconds * 1000, ...options })
  t.after(() => guard.close())
  return { guard, clock }
}

export const token = (issuer: string, claims: JwtPayload = {}, key = pair) => tokenFor(claims, { issuer }, key)

export async function codeOf(guard: Guard, text: string): Promise<string> {
  try {
    return (await guard.authenticate(bearing(text))).subject
  } catch (error) {
    return error instanceof GuardError ? error.code : assert.fail(String(error))
  }
}
