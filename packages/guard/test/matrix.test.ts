import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Guard, GuardRequest, Requirement } from '../src/index.ts'
import { type Case, cookieCases, headerCases, profiles, tokenCases } from './matrix-cases.ts'
import { type Closing, sites } from './sites.ts'
import { guardWith, tokenFor } from './tokens.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends octets and reads the whole response, without a client that would correct what is sent. */
function exchange(
  origin: string,
  { method, target, lines }: Pick<Case, 'method' | 'target' | 'lines'>,
): Promise<Answer> {
  const { hostname, port, host } = new URL(origin)
  const head = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...lines, '', '']
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(head.join('\r\n'), 'latin1')))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => resolve(answerOf(Buffer.concat(chunks).toString('latin1'))))
  })
}

function answerOf(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    assert.equal(headers[name], undefined, `${name} was sent twice`)
    headers[name] = line.slice(name.length + 1).trim()
  }
  const body = text.slice(end + 4)
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: headers['transfer-encoding'] ? dechunk(body) : body,
  }
}

function dechunk(body: string): string {
  const size = Number.parseInt(body, 16)
  if (!(size > 0)) return ''
  const start = body.indexOf('\r\n') + 2
  return body.slice(start, start + size) + dechunk(body.slice(start + size + 2))
}

/**
 * The part of a response that must be the same everywhere: status, body, and what the guard sets.
 */
function verdictOf({ status, headers, body }: Answer) {
  if (status < 300) return { status, body }
  const {
    'content-type': type = '',
    'www-authenticate': challenge,
    'cache-control': cache,
    'retry-after': retry,
  } = headers
  // Express adds a charset to every string that Nest passes to it.
  return {
    status,
    body,
    type: type.replace('; charset=utf-8', ''),
    challenge,
    cache,
    retry,
    injected: headers['x-injected'],
  }
}

/** Authenticates as if keys had to be fetched first. */
function later(guard: Guard): Guard {
  const authenticate: unknown = async (request: GuardRequest, ...requirement: [] | [Requirement]) =>
    guard.authenticate(request, ...requirement)
  return { ...guard, authenticate: authenticate as Guard['authenticate'] }
}

/** The end of the token that the cases are made of: no response may contain it. */
const signature = tokenFor({ jti: 'echo' }).slice(-20)

type Send = (one: Case) => Promise<Answer>

function senderOf(t: Closing, site: (typeof sites)[number], wrap: (guard: Guard) => Guard): Send {
  const origins = new Map<string, Promise<string>>()
  return async (one) => {
    const { options, requirement } = profiles[one.to]
    const known = origins.get(one.to)
    const origin = known ?? site.start(t, wrap(guardWith(options)), [...requirement] as [] | [Requirement], [])
    if (known === undefined) origins.set(one.to, origin)
    return exchange(await origin, one)
  }
}

const cases = [...headerCases, ...tokenCases, ...cookieCases]
const reference = sites.find(({ name }) => name === 'node') as (typeof sites)[number]
/** The responses that all others are compared with, by the name of the case. */
const row = new Map<string, Answer>()

before(async () => {
  const send = senderOf({ after }, reference, (guard) => guard)
  for (const one of cases) row.set(one.name, await send(one))
})

test('matrix: there are at least 60 cases of headers and 30 of cookies, each with a unique name', () => {
  assert.ok(headerCases.length >= 60, `${headerCases.length}`)
  assert.ok(cookieCases.length >= 30, `${cookieCases.length}`)
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
})

test(`matrix: node:http responds to ${cases.length} requests as expected, as the reference for the other adapters`, () => {
  const wrong: string[] = []
  for (const { name, method, expected } of cases) {
    const { status, headers, body } = row.get(name) as Answer
    const got = status < 300 || body === '' ? body : JSON.parse(body).code
    const refused = expected.includes('_')
    if (got !== (method === 'HEAD' ? '' : expected) || status >= 400 !== refused)
      wrong.push(`${name}: ${status} ${got}`)
    if (refused) assert.equal(headers['cache-control'], 'no-store', name)
    if (refused) assert.ok(!JSON.stringify([headers, body]).includes(signature), `${name}: the token was echoed`)
  }
  assert.deepEqual(wrong, [])
})

for (const site of sites) {
  for (const [how, wrap] of [
    ['immediately', (guard: Guard) => guard],
    ['later', later],
  ] as const) {
    if (site === reference && how === 'immediately') continue
    test(`matrix: ${site.name}, responding ${how}, gives the same responses as the reference`, async (t) => {
      const send = senderOf(t, site, wrap)
      const differences: unknown[] = []
      for (const one of cases) {
        const [own, expected] = [await send(one), row.get(one.name) as Answer].map(verdictOf)
        if (!isDeepStrictEqual(own, expected)) differences.push([one.name, own, expected])
      }
      assert.equal(row.size, cases.length)
      assert.deepEqual(differences, [])
    })
  }
}

for (const site of sites) {
  test(`matrix: ${site.name} does not receive what Node's parser refuses`, async (t) => {
    const origin = await site.start(t, guardWith(), [], [])
    const good = tokenFor()
    const hopeless: readonly [status: number, lines: readonly string[]][] = [
      [400, [`Authorization: Bearer ${good}\0`]],
      [400, [`Authorization: Bearer \x01${good}`]],
      [400, [`Authorization : Bearer ${good}`]],
      [400, [`Authorization: Bearer ${good}\nX-Injected: 1`]],
      [431, [`Authorization: Bearer ${'a'.repeat(17_000)}`]],
    ]
    for (const [status, lines] of hopeless) {
      const answer = await exchange(origin, { method: 'GET', target: '/', lines })
      assert.equal(answer.status, status, lines[0]?.slice(0, 60))
    }
  })
}
