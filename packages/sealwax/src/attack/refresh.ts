import { setTimeout as delay } from 'node:timers/promises'
import type { Finding } from './finding.ts'
import { type Reply, type Target, targetAt } from './target.ts'

/** How a refresh token is sent. */
export interface RefreshOptions {
  readonly url: URL
  readonly token: string
  /** Milliseconds after which a token that was used must be refused. */
  readonly grace: number
}

const AT_ONCE = 8

/**
 * Uses one refresh token several times at once, as two tabs or a thief and a victim do, and once
 * more later (RFC 9700 §4.14.2). The session of the token ends.
 */
export async function attackRefresh({ url, token, grace }: RefreshOptions): Promise<readonly Finding[]> {
  const { replies, send } = await refreshAtOnce(targetAt(url, 'POST'), token)
  const successors = new Set(replies.map(refreshTokenOf).filter((found) => found !== undefined))
  const statuses = [...new Set(replies.map(({ status }) => status))].join(' ')
  if (successors.size === 0) {
    return [{ name: 'a refresh', source: 'RFC 6749 §6', fault: `did not work (${statuses}), so it was not attacked` }]
  }
  const findings: Finding[] = []
  if (successors.has(token)) {
    const fault = 'returns the same token: a stolen one works for as long as the session'
    findings.push({ name: 'a refresh', source: 'RFC 9700 §4.14.2', fault })
  } else if (successors.size > 1) {
    const fault = `gave ${successors.size} different refresh tokens, so a thief and a victim go on separately`
    findings.push({ name: `one refresh token, ${AT_ONCE} times at once`, source: 'RFC 9700 §4.14.2', fault })
  }
  if (replies.some(({ status }) => status >= 500)) {
    findings.push({
      name: `one refresh token, ${AT_ONCE} times at once`,
      source: 'RFC 9110 §15.6',
      fault: `failed (${statuses})`,
    })
  }
  // This shows that the successor has arrived. From then on, nobody needs the old token.
  const [successor] = successors
  await send(successor as string)
  await delay(grace)
  if (!successors.has(token) && refreshTokenOf(await send(token)) !== undefined) {
    const fault = `still works ${grace / 1000} s after its successor was used`
    findings.push({ name: 'a refresh token that was replaced', source: 'RFC 9700 §4.14.2', fault })
  }
  return findings
}

/** As JSON, as most log-in routes of applications take it, or as a form (RFC 6749 §6). */
async function refreshAtOnce(target: Target, token: string) {
  const asJson = (value: string) =>
    target.send({ headers: ['Content-Type', 'application/json'], body: JSON.stringify({ refresh_token: value }) })
  const asForm = (value: string) =>
    target.send({
      headers: ['Content-Type', 'application/x-www-form-urlencoded'],
      body: String(new URLSearchParams({ grant_type: 'refresh_token', refresh_token: value })),
    })
  const atOnce = (send: typeof asJson) => Promise.all(Array.from({ length: AT_ONCE }, () => send(token)))
  const replies = await atOnce(asJson)
  if (replies.some((reply) => refreshTokenOf(reply) !== undefined)) return { replies, send: asJson }
  return { replies: await atOnce(asForm), send: asForm }
}

function refreshTokenOf({ status, body }: Reply): string | undefined {
  if (status !== 200) return undefined
  try {
    const { refresh_token: token } = JSON.parse(body)
    return typeof token === 'string' ? token : undefined
  } catch {
    return undefined
  }
}
