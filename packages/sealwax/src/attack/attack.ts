import { unsafeDecode } from '@sealwax/jwt'
import { AuthError } from '../errors.ts'
import { type Attempt, accepted } from './attempt.ts'
import { attemptsWith } from './attempts.ts'
import { type Credentials, findPublicKey, guessSecret } from './credentials.ts'
import type { Finding } from './finding.ts'
import { attackRefresh, type RefreshOptions } from './refresh.ts'
import { type Reply, type Target, targetAt } from './target.ts'

/** The result of an attack. */
export interface AttackResult {
  readonly attempts: number
  readonly findings: readonly Finding[]
  /** What could not be tried, and why. */
  readonly left: readonly string[]
}

/** What is attacked, and with what. */
export interface AttackOptions {
  readonly url: URL
  readonly method: string
  readonly credentials: Credentials
  /** The cookie in which the route accepts the token. */
  readonly cookie?: string
  /** An origin whose pages may send requests with a token. */
  readonly allowed?: string
  /** The URL of the key set of the issuer. Default: from its metadata. */
  readonly jwks?: string
  readonly refresh?: Omit<RefreshOptions, 'token'>
}

/**
 * Sends hostile requests to a route, one after the other. The valid token must be accepted, before
 * and after: otherwise refusals prove nothing.
 *
 * @throws {AuthError} `config_invalid` if the route cannot be reached or does not accept the token
 */
export async function attack(options: AttackOptions): Promise<AttackResult> {
  const { url, method, credentials, cookie, allowed, jwks, refresh } = options
  const { token, refreshToken, idToken } = credentials
  const target = targetAt(url, method)
  const good = await expectGood(target, token, 'before')
  const publicKey = await findPublicKey(token, jwks)
  const others = { ...(refreshToken && { 'refresh token': refreshToken }), ...(idToken && { 'ID token': idToken }) }
  const path = `${url.pathname}${url.search}`
  const attempts = attemptsWith({
    ...{ token, others, method, path, good, own: url.origin },
    ...(publicKey && { publicKey }),
    ...(cookie !== undefined && { cookie }),
    ...(allowed !== undefined && { allowed }),
  })
  const findings: Finding[] = [...weaknesses(token)]
  for (const attempt of attempts) findings.push(...(await attemptOne(target, attempt, token)))
  await expectGood(target, token, 'after')
  if (refresh && refreshToken) findings.push(...(await attackRefresh({ ...refresh, token: refreshToken })))
  return { attempts: attempts.length, findings, left: leftOut({ ...options, hasKey: publicKey !== undefined }) }
}

async function expectGood(target: Target, token: string, when: string): Promise<Reply> {
  const reply = await target.send({ headers: ['Authorization', `Bearer ${token}`] }).catch((error: Error) => {
    throw new AuthError('config_invalid', `The route does not reply: ${error.message}`)
  })
  if (reply.status >= 200 && reply.status <= 299) return reply
  const { cnf } = unsafeDecode(token).payload
  const bound = cnf === undefined ? '' : '. The token is bound to a key (cnf): attack one that is not'
  const detail = `The route must accept the valid token ${when} the attack, or refusals prove nothing (got ${reply.status})${bound}`
  throw new AuthError('config_invalid', detail)
}

async function attemptOne(target: Target, { name, source, sent, judge = accepted }: Attempt, token: string) {
  try {
    const reply = await target.send(sent)
    const found = [judge(reply), failed(reply), repeats(reply, token)].filter((fault) => fault !== undefined)
    return found.map((fault): Finding => ({ name, source, fault: `${fault} (${reply.status})` }))
  } catch (error) {
    // Node refuses to send some header fields; a server may close the connection instead of
    // replying.
    const { code = '', message } = error as { readonly code?: string; readonly message: string }
    const isRefusal = code.startsWith('ERR_') || code === 'ECONNRESET'
    return isRefusal ? [] : [{ name, source, fault: `got no reply: ${message}` }]
  }
}

const failed = ({ status }: Reply) => (status >= 500 ? 'made the server fail' : undefined)

/** A reply that repeats the token ends up in logs and in the reports of errors. */
function repeats({ body, headers }: Reply, token: string): string | undefined {
  const signature = token.slice(token.lastIndexOf('.') + 1)
  return `${body}${JSON.stringify(headers)}`.includes(signature) ? 'is answered with the token in it' : undefined
}

/** What the token alone shows. */
function weaknesses(token: string): Finding[] {
  const { payload } = unsafeDecode(token)
  const findings: Finding[] = []
  if (guessSecret(token) !== undefined) {
    const fault = 'is signed with a secret from a list of common ones: anyone can make tokens'
    findings.push({ name: 'the valid token', source: 'RFC 8725 §3.5', fault })
  }
  if (typeof payload.exp !== 'number') {
    findings.push({ name: 'the valid token', source: 'RFC 9068 §2.2', fault: 'never expires' })
  } else if (typeof payload.iat === 'number' && payload.exp - payload.iat > DAY) {
    const hours = Math.round((payload.exp - payload.iat) / 3600)
    findings.push({ name: 'the valid token', source: 'RFC 6750 §5.3', fault: `is valid for ${hours} hours` })
  }
  return findings
}

const DAY = 86_400

function leftOut({
  hasKey,
  credentials,
  cookie,
  allowed,
  refresh,
}: AttackOptions & { readonly hasKey: boolean }): string[] {
  const { header } = unsafeDecode(credentials.token)
  const isSecret = header.alg.startsWith('HS')
  return [
    ...(hasKey || isSecret ? [] : ['HS256 with the public key: no key set was found; give --jwks']),
    ...(cookie === undefined
      ? ['cookies and CSRF: give --cookie NAME if the route accepts the token in a cookie']
      : []),
    ...(allowed === undefined
      ? ['whether pages of another origin can use the route: give --origin URL if they should']
      : []),
    ...(refresh && credentials.refreshToken
      ? []
      : ['refresh races: give --refresh URL, and a log-in that prints JSON with refresh_token']),
    'expired tokens, and those for another audience: only the issuer can make them; use testGuardedRoute of @sealwax/guard/testing',
  ]
}
