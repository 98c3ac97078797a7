import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { openApiPage } from '../../src/http/openapi/page.ts'
import { AUTH_ERRORS } from '../../src/index.ts'
import { basic, startOAuth } from '../oauth/oauth.ts'
import { type Call, startAuth } from '../server.ts'
import { operationsOf, readDocument } from './conformance.ts'

const document = await readDocument()
const { html, policy } = await openApiPage(document as never)

/** Elements without an end tag. */
const VOID = ['meta', 'link', 'wbr']

describe('GET /openapi', () => {
  test('is a page whose Content-Security-Policy allows only its own style', async () => {
    await using server = await startAuth()
    const { status, headers, text } = await server.call('/openapi')
    assert.deepEqual([status, headers.get('Content-Type'), text], [200, 'text/html; charset=utf-8', html])
    assert.equal(headers.get('Content-Security-Policy'), policy)
    assert.equal(headers.get('X-Content-Type-Options'), 'nosniff')
    assert.equal(headers.get('Access-Control-Allow-Origin'), null)
    const style = /<style>(.*)<\/style>/s.exec(html)?.[1] as string
    const hash = createHash('sha256').update(style).digest('base64')
    assert.deepEqual(policy.split('; '), [
      "default-src 'none'",
      `style-src 'sha256-${hash}'`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    const again = await server.call('/openapi', { headers: { 'If-None-Match': headers.get('ETag') as string } })
    assert.deepEqual([again.status, again.headers.get('Content-Security-Policy')], [304, policy])
  })

  test('loads nothing: it has no script, event handler, inline style or external URL', () => {
    assert.doesNotMatch(html, /<script|<iframe|<img|<form|\son\w+=|\sstyle=|javascript:|url\(|@import/i)
    const addresses = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => match[1] as string)
    assert.ok(addresses.length > 50)
    assert.deepEqual(
      addresses.filter((address) => !address.startsWith('#')),
      ['data:,', 'openapi.json'],
    )
  })

  test('shows every operation with its members, parameters and codes; every link has a target', () => {
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1] as string)
    assert.equal(new Set(ids).size, ids.length)
    for (const { operation } of operationsOf(document)) {
      const [, shown = ''] = html
        .split(`<h3 id="${operation.operationId}-title"`)
        .map((part) => part.split('</article>')[0])
      assert.ok(shown.includes(`<article id="${operation.operationId}"`), operation.operationId)
      assert.ok(shown.includes(operation.summary), operation.operationId)
      for (const status of Object.keys(operation.responses)) assert.ok(shown.includes(status))
      for (const { name } of operation.parameters ?? []) assert.ok(shown.includes(`<code>${name}</code>`), name)
    }
    for (const code of Object.keys(AUTH_ERRORS)) assert.ok(ids.includes(`code-${code}`), code)
    for (const member of ['refresh_token', 'session.expires_at', 'user.roles', 'data[].user_agent', 'cursor']) {
      assert.ok(html.includes(`<code>${member}</code>`), member)
    }
    const targets = [...html.matchAll(/href="#([^"]*)"/g)].map((match) => match[1] as string)
    assert.deepEqual(
      targets.filter((target) => !ids.includes(target)),
      [],
    )
  })

  test('is well-formed: elements are nested, headings skip no level, tables have column headers', () => {
    const open: string[] = []
    for (const [, slash, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
      if (VOID.includes(name)) continue
      if (slash === '') open.push(name)
      else assert.equal(open.pop(), name)
    }
    assert.deepEqual(open, [])
    const levels = [...html.matchAll(/<h(\d)/g)].map((match) => Number(match[1]))
    assert.equal(levels[0], 1)
    for (const [index, level] of levels.entries()) assert.ok(level - (levels[index - 1] ?? 0) <= 1, `heading ${index}`)
    assert.equal(html.match(/<table>/g)?.length, html.match(/<thead>/g)?.length)
    assert.match(html, /<html lang="en">/)
  })

  test('escapes all text of the document', async () => {
    const evil = '"><script>alert(1)</script>`<b onclick=x>`\''
    const hostile = JSON.parse(JSON.stringify(document), (key, value) =>
      ['summary', 'description', 'title', 'url', 'example', 'default'].includes(key) && typeof value === 'string'
        ? evil
        : value,
    )
    const page = await openApiPage(hostile)
    assert.ok(page.html.includes('&lt;script&gt;alert(1)'))
    assert.doesNotMatch(page.html, /<script|<b onclick/)
  })

  test('shows a command line for each operation, with the required credentials', () => {
    const lines = plain(html)
    for (const line of [
      'curl --request POST "http://127.0.0.1:5000/login" \\\n  --header "Content-Type: application/json" \\\n  --data \'{"email":"alex@example.com","password":"correct horse battery staple"}\'',
      'curl "http://127.0.0.1:5000/me" \\\n  --header "Authorization: Bearer <access_token>"',
      'curl --request DELETE "http://127.0.0.1:5000/sessions/<id>" \\\n  --header "Authorization: Bearer <access_token>"',
      'curl "http://127.0.0.1:5000/healthz"',
    ]) {
      assert.ok(lines.includes(`<code>${line}</code>`), line)
    }
  })

  test('the OAuth commands that it shows work with a real id, secret and token', async () => {
    await using server = await startOAuth()
    const { id, secret } = await server.machine('introspect')
    const { access_token, refresh_token } = await server.auth.sessions.create({ subject: 'ann' })
    const commands = [...plain(html).matchAll(/<code>(curl [^<]*(?:<(?!\/code>)[^<]*)*)<\/code>/g)]
      .map((match) => match[1] as string)
      .filter((command) => command.includes('/oauth/'))
    assert.equal(commands.length, 3)
    const real = (token: string) => ({ '<client_id>': id, '<client_secret>': secret, '<token>': token })
    for (const command of commands) {
      for (const token of [access_token, refresh_token]) {
        const { path, call } = requestOf(command, real(token))
        const { status, body } = await server.call(path, call)
        assert.equal(status, 200, `${command}: ${JSON.stringify(body)}`)
        if (path === '/oauth/token') assert.ok(body.access_token)
        if (path === '/oauth/introspect') assert.equal(body.active, (await server.auth.sessions.list('ann')).length > 0)
      }
    }
    assert.deepEqual(await server.auth.sessions.list('ann'), [], 'the session was revoked')
  })
})

/** The text of the page as a reader sees and copies it. */
function plain(page: string): string {
  return page.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&#39;', "'")
}

/** The request that a command line of the page sends. */
function requestOf(command: string, real: Record<string, string>): { path: string; call: Call } {
  const filled = command.replace(/<\w+>/g, (name) => real[name] ?? assert.fail(`unknown placeholder ${name}`))
  const [first = '', ...more] = filled.split(' \\\n  ')
  const [, method = 'GET', url = ''] = /^curl (?:--request (\w+) )?"([^"]+)"$/.exec(first) ?? assert.fail(first)
  const headers: Record<string, string> = {}
  const body = new URLSearchParams()
  for (const option of more) {
    const [, user] = /^--user "([^"]+)"$/.exec(option) ?? []
    const [, name, value] = /^--data-urlencode '(\w+)=([^']*)'$/.exec(option) ?? []
    if (user !== undefined) {
      const [id = '', secret = ''] = user.split(':')
      Object.assign(headers, basic({ id, secret }))
    } else if (name !== undefined && value !== undefined) body.append(name, value)
    else assert.fail(option)
  }
  return { path: new URL(url).pathname, call: { method, body, headers } }
}
