import { hostileTokens } from './hostile-tokens.ts'
import type { MintOptions, TestIssuer } from './issuer.ts'

/** The part of an answer that counts. A web `Response` fits, and so does a supertest response. */
export interface RouteAnswer {
  readonly status: number
}

/** Options of {@link testGuardedRoute}. */
export interface GuardedRouteOptions {
  /** Sends one request to the route under test, with these header fields. */
  readonly request: (headers: Record<string, string>) => RouteAnswer | Promise<RouteAnswer>
  /** The issuer that the route trusts. */
  readonly issuer: TestIssuer
  /** What a token must say to be let in: the roles and scopes that the route requires. */
  readonly good?: MintOptions
  /** Names of hostile cases that the route accepts on purpose. */
  readonly except?: readonly string[]
}

interface HostileCase {
  readonly name: string
  readonly source: string
  readonly headers: Record<string, string>
}

const MEMBERS: ReadonlySet<string> = new Set<keyof GuardedRouteOptions>(['request', 'issuer', 'good', 'except'])

/** 431: a server may refuse a long header field before anybody reads it (RFC 6585 §5). */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 431])

/**
 * Attacks your own route: sends it every hostile token and header, one after the other, and expects 400 or 401 for each; a good token must be
 * answered with 2xx, before and after. Needs no test runner.
 * @returns how many hostile requests were refused
 * @throws Error that lists every request which was let in, or answered with another status than a refusal
 * @throws TypeError for unknown options and for names in `except` that no case has
 */
export async function testGuardedRoute(options: GuardedRouteOptions): Promise<{ readonly refused: number }> {
  for (const name of Object.keys(options)) {
    if (!MEMBERS.has(name)) throw new TypeError(`testGuardedRoute: unknown option "${name}"`)
  }
  const { issuer, good = {} } = options
  const cases = casesOf(options)
  await expectGood(options, 'A good token must be let in, or refusals prove nothing')
  const faults: string[] = []
  for (const { name, source, headers } of cases) {
    const outcome = await send(options, headers)
    if (typeof outcome === 'string' || !REFUSALS.has(outcome)) faults.push(`  ${outcome}  ${name} (${source})`)
  }
  if (faults.length > 0) {
    const count = `${faults.length} of ${cases.length} hostile requests`
    throw new Error(`testGuardedRoute: the route did not refuse ${count} with 400 or 401:\n${faults.join('\n')}`)
  }
  await expectGood(options, 'A good token must be let in after hostile ones, too')
  return { refused: cases.length }

  async function expectGood(route: GuardedRouteOptions, sentence: string): Promise<void> {
    const outcome = await send(route, bearing(issuer.mint(good)))
    if (typeof outcome === 'string' || outcome < 200 || outcome > 299) {
      throw new Error(`testGuardedRoute: ${sentence}; the route answered ${outcome}`)
    }
  }
}

function casesOf({ issuer, good = {}, except = [] }: GuardedRouteOptions): HostileCase[] {
  const tokens = hostileTokens(issuer, good)
  const cases: HostileCase[] = [
    ...hostileHeaders(issuer.mint(good)),
    ...tokens.map(({ name, source, token }) => ({ name, source, headers: bearing(token) })),
  ]
  const names = new Set(cases.map(({ name }) => name))
  for (const name of except) {
    if (!names.has(name)) throw new TypeError(`testGuardedRoute: no case is named "${name}"`)
  }
  return cases.filter(({ name }) => !except.includes(name))
}

/** Requests whose Authorization header is not one (RFC 6750 §2.1), around a good token. */
function hostileHeaders(token: string): HostileCase[] {
  const values: Record<string, string> = {
    'the token without a scheme': token,
    'the scheme alone': 'Bearer',
    'the scheme and a comma': 'Bearer ,',
    'two blanks': `Bearer  ${token}`,
    'a tab': `Bearer\t${token}`,
    'no blank': `Bearer${token}`,
    'an equals sign': `Bearer=${token}`,
    'another scheme': `Token ${token}`,
    'Basic credentials': `Basic ${Buffer.from(`user:${token}`).toString('base64')}`,
    'quotes around the token': `Bearer "${token}"`,
    'two tokens': `Bearer ${token} ${token}`,
    'two credentials': `Bearer ${token}, Bearer ${token}`,
    'a parameter': `Bearer ${token};q=1`,
    'a letter beyond ASCII': `Bearer ${token}\xe9`,
  }
  const named = Object.entries(values).map(([name, authorization]) => ({ name, headers: { authorization } }))
  const elsewhere = { name: 'a token in another header', headers: { 'x-authorization': `Bearer ${token}` } }
  const cases = [{ name: 'nothing', headers: {} }, ...named, elsewhere]
  return cases.map(({ name, headers }) => ({ name: `request: ${name}`, source: 'RFC 6750 §2.1', headers }))
}

function bearing(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

/** The status of the answer, or why there is none. */
async function send({ request }: GuardedRouteOptions, headers: Record<string, string>): Promise<number | string> {
  try {
    const { status } = await request(headers)
    return typeof status === 'number' ? status : 'an answer without a status'
  } catch (error) {
    return `an error: ${error instanceof Error ? error.message : String(error)}`
  }
}
