import { type Answer, ask, persist, told } from './http.ts'
import type { Run } from './run.ts'

/** One signed-in user agent, with the tokens of its latest response. */
export interface Client {
  readonly subject: string
  readonly session: string
  refreshToken: string
  accessToken: string
  /** True once its log-out was acknowledged. */
  loggedOut: boolean
}

/** Starts a session. Returns undefined if it was not acknowledged, so that nothing was promised. */
export async function begin(run: Run, url: string, subject: string): Promise<Client | undefined> {
  const answer = await ask(`${url}/torture/sessions`, { json: { subject, userAgent: AGENT } })
  if (answer === 'lost' || answer.status !== 200) {
    run.count('session starts that were not acknowledged')
    return undefined
  }
  run.count('sessions started')
  return clientOf(subject, answer)
}

/** Logs in with a password. Returns undefined if the log-in was not acknowledged. */
export async function logIn(
  run: Run,
  url: string,
  user: { id: string; email: string; password: string },
): Promise<Client | undefined> {
  const { email, password } = user
  const answer = await ask(`${url}/login`, { json: { email, password }, userAgent: AGENT })
  const unanswered = answer === 'lost' || answer.status === 503
  run.check(unanswered || answer.status === 200, `a log-in got ${told(answer)}`)
  if (unanswered || answer.status !== 200) return undefined
  run.count('log-ins')
  return clientOf(user.id, answer)
}

const AGENT = 'Mozilla/5.0 (client)'

function clientOf(subject: string, { body }: Answer): Client {
  const { session, refresh_token: refreshToken, access_token: accessToken } = body
  return { subject, session: session.id, refreshToken, accessToken, loggedOut: false }
}

/**
 * Refreshes from several tabs at once, each with retries. Every response to one token must contain
 * the same successor, even if servers are killed meanwhile.
 */
export async function refreshTabs(run: Run, urls: readonly string[], client: Client, tabs: number): Promise<void> {
  const json = { refresh_token: client.refreshToken }
  const seen = (answer: Answer | 'lost') => {
    run.count('refreshes sent')
    if (answer === 'lost') run.count('replies lost')
    else if (answer.status === 503) {
      run.count('refreshes answered 503')
      run.check(Number(answer.retryAfter) > 0, 'a 503 without Retry-After')
    }
  }
  const answers = await Promise.all(
    Array.from({ length: tabs }, (_, i) => persist(rotated(urls, i), '/refresh', { json, userAgent: AGENT }, { seen })),
  )
  const successors = new Set<string>()
  for (const answer of answers) {
    const granted = answer !== 'lost' && answer.status === 200
    run.check(granted, `${client.session}: a live session's refresh got ${told(answer)}`)
    if (!granted) continue
    run.count('refreshes granted')
    successors.add(answer.body.refresh_token)
    client.accessToken = answer.body.access_token
  }
  run.check(successors.size <= 1, `${client.session}: retries of one token got ${successors.size} successors`)
  client.refreshToken = [...successors][0] ?? client.refreshToken
}

/** Logs out, with retries. */
export async function logOut(run: Run, urls: readonly string[], client: Client): Promise<void> {
  const json = { refresh_token: client.refreshToken }
  const answer = await persist(urls, '/logout', { json, userAgent: AGENT })
  const ended = answer !== 'lost' && answer.status === 204
  run.check(ended, `${client.session}: a log-out got ${told(answer)}`)
  client.loggedOut = ended
  if (ended) run.count('log-outs acknowledged')
}

/**
 * Checks that the refresh token of a logged-out client is refused, and that every server refuses
 * its access token within two seconds.
 */
export async function checkLoggedOut(run: Run, urls: readonly string[], client: Client): Promise<void> {
  const refused = await persist(urls, '/refresh', { json: { refresh_token: client.refreshToken }, userAgent: AGENT })
  const right = refused !== 'lost' && refused.status === 400 && refused.body.reason === 'session_revoked'
  run.check(right, `${client.session}: the refresh token of a logged-out session got ${told(refused)}`)
  for (const url of urls) {
    const answer = await until(
      () => ask(`${url}/me`, { token: client.accessToken }),
      (a) => a !== 'lost' && a.status === 401,
    )
    const code = answer === 'lost' ? '' : answer.body.code
    run.check(
      code === 'token_revoked',
      `${client.session}: the access token of a logged-out session got ${told(answer)}`,
    )
    run.count('revoked access tokens presented')
  }
}

async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 2000
  for (;;) {
    const answer = await ask()
    if (holds(answer) || performance.now() > deadline) return answer
  }
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
