import assert from 'node:assert/strict'
import { call, PASSWORD } from '../server.ts'

const EMAIL = 'ann@example.com'
export const credentials = { email: EMAIL, password: PASSWORD }

/**
 * Sends requests through the app: a log-in, its guarded route, a refresh, a log-out, and requests
 * that must be refused.
 */
export async function walk(base: string, prefix = ''): Promise<void> {
  const { status, body } = await call(base, `${prefix}/login`, { json: credentials })
  assert.deepEqual([status, body.user?.id], [200, 'user-123'])
  const token = body.access_token
  const profile = await call(base, '/profile', { token })
  assert.deepEqual([profile.status, profile.text], [200, '{"user_id":"user-123"}'])
  assert.equal((await call(base, `${prefix}/me`, { token })).body.user.email, EMAIL)
  const refreshed = await call(base, `${prefix}/refresh`, { json: { refresh_token: body.refresh_token } })
  assert.equal(refreshed.status, 200)
  assert.equal((await call(base, `${prefix}/sessions/nope`, { method: 'DELETE', token })).status, 404)
  assert.equal((await call(base, `${prefix}/logout`, { json: { scope: 'current' }, token })).status, 204)
  const refused = await call(base, '/profile', { token })
  assert.deepEqual([refused.status, refused.body.code], [401, 'token_revoked'])
  const bad = await call(base, `${prefix}/login`, { json: { ...credentials, extra: 1 } })
  assert.deepEqual([bad.status, bad.body.code], [422, 'validation_failed'])
}

/** Asserts that the app's own routes and its own 404 are reached. */
export async function assertOwnRoutes(base: string): Promise<void> {
  const own = await call(base, '/own', { json: { a: 1 } })
  assert.deepEqual([own.status, own.text], [200, '{"a":1}'])
  const missing = await call(base, '/nothing')
  assert.deepEqual([missing.status, missing.text], [404, 'the 404 of the app'])
}
