import { checkOptions, mustBe, mustBeFunction, type OptionRules } from '../strict-options.ts'
import { type HostileHeaders, hostileHeaders } from './hostile-headers.ts'
import { hostileTokens } from './hostile-tokens.ts'
import type { MintOptions, TestIssuer } from './issuer.ts'

/** The part of a response that is checked. A web `Response` and a supertest response match it. */
export interface RouteAnswer {
  /** The HTTP status code. */
  readonly status: number
}

/** Options of {@link testGuardedRoute}. */
export interface GuardedRouteOptions {
  /** Sends one request to the route under test, with these header fields. */
  readonly request: (headers: Record<string, string>) => RouteAnswer | Promise<RouteAnswer>
  /** The issuer that the route trusts. */
  readonly issuer: TestIssuer
  /** What a valid token needs for this route: the roles and scopes that it requires. */
  readonly good?: MintOptions
  /** Names of hostile cases that the route accepts intentionally. */
  readonly except?: readonly string[]
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null

const OPTIONS: OptionRules<GuardedRouteOptions> = {
  example: '{ request, issuer }',
  required: ['request', 'issuer'],
  rules: {
    request: mustBeFunction('a function that sends a request with the given header fields'),
    issuer: mustBe('what createTestIssuer returns', isObject),
    good: mustBe("an object such as { scope: 'orders:read' }", isObject),
    except: mustBe('a list of names of cases', Array.isArray),
  },
}

/** 431: a server may refuse a long header field first (RFC 6585 §5). */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 431])

/**
 * Attacks your own route: sends it every hostile token and header, one after the other, and expects
 * 400, 401 or 431 for each. A valid token must get 2xx, before and after. Does not need a test
 * runner.
 * @returns how many hostile requests were refused
 * @throws {Error} with a list of the requests that were accepted or got another status
 * @throws {TypeError} for unknown options and for names in `except` that are not the name of a case
 */
export async function testGuardedRoute(options: GuardedRouteOptions): Promise<{ readonly refused: number }> {
  checkOptions('testGuardedRoute', options, OPTIONS)
  const { issuer, good = {} } = options
  const cases = casesOf(options)
  await expectGood(options, 'A valid token must be accepted, or refusals prove nothing')
  const faults: string[] = []
  for (const { name, source, headers } of cases) {
    const outcome = await send(options, headers)
    if (typeof outcome === 'string' || !REFUSALS.has(outcome)) faults.push(`  ${outcome}  ${name} (${source})`)
  }
  if (faults.length > 0) {
    const count = `${faults.length} of ${cases.length} hostile requests`
    throw new Error(`testGuardedRoute: the route did not refuse ${count} with 400 or 401:\n${faults.join('\n')}`)
  }
  await expectGood(options, 'A valid token must be accepted after hostile ones, too')
  return { refused: cases.length }

  async function expectGood(route: GuardedRouteOptions, sentence: string): Promise<void> {
    const outcome = await send(route, bearing(issuer.mint(good)))
    if (typeof outcome === 'string' || outcome < 200 || outcome > 299) {
      throw new Error(`testGuardedRoute: ${sentence}; the route responded with ${outcome}`)
    }
  }
}

function casesOf({ issuer, good = {}, except = [] }: GuardedRouteOptions): HostileHeaders[] {
  const tokens = hostileTokens(issuer, good)
  const cases: HostileHeaders[] = [
    ...hostileHeaders(issuer.mint(good)),
    ...tokens.map(({ name, source, token }) => ({ name, source, headers: bearing(token) })),
  ]
  const names = new Set(cases.map(({ name }) => name))
  for (const name of except) {
    if (!names.has(name)) throw new TypeError(`testGuardedRoute: no case is named "${name}"`)
  }
  return cases.filter(({ name }) => !except.includes(name))
}

function bearing(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

/** Returns the status of the response, or why there is none. */
async function send({ request }: GuardedRouteOptions, headers: Record<string, string>): Promise<number | string> {
  try {
    const { status } = await request(headers)
    return typeof status === 'number' ? status : 'a response without a status'
  } catch (error) {
    return `an error: ${error instanceof Error ? error.message : String(error)}`
  }
}
