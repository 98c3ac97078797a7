import assert from 'node:assert/strict'
import { MINUTE, type Reply, type Started } from '../server.ts'

export const BROWSER = 'Mozilla/5.0 (browser)'

/** Refreshes over HTTP. */
export function refresh({ call }: Started, refresh_token: string, userAgent = BROWSER): Promise<Reply> {
  return call('/refresh', { json: { refresh_token }, headers: { 'User-Agent': userAgent } })
}

/** A session of this browser, refreshed once. `successor` is the current refresh token. */
export async function rotatedSession(server: Started) {
  const first = await server.auth.sessions.create({ subject: 'ann', client: { userAgent: BROWSER } })
  const { status, body } = await refresh(server, first.refresh_token)
  assert.equal(status, 200)
  return { id: first.session.id, parent: first.refresh_token, successor: body.refresh_token, access: body.access_token }
}

export function assertRefused({ status, headers, body }: Reply, reason: string): void {
  assert.deepEqual(
    [status, body.code, body.reason, body.status, body.error],
    [400, 'invalid_grant', reason, 400, body.title],
  )
  assert.match(headers.get('Content-Type') ?? '', /^application\/problem\+json/)
  assert.equal(headers.get('WWW-Authenticate'), null)
}

/** Checks that the session still works with its current token. */
export async function assertAlive(server: Started, token: string): Promise<void> {
  server.clock.advance(MINUTE)
  assert.equal((await refresh(server, token)).status, 200)
}
