import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { readEnvironment } from '../../src/cli/settings.ts'
import { SECRET, startAuth } from '../server.ts'

interface RawReply {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Unlike `fetch`, this shows the body as it was sent. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (reply) => {
      buffer(reply).then((body) => resolve({ status: reply.statusCode, headers: reply.headers, body }), reject)
    })
      .on('error', reject)
      .end()
  })
}

/** What the page loads. */
async function filesOf(url: string): Promise<string[]> {
  const { body } = await ask(`${url}/inspect`)
  return [...body.toString().matchAll(/(?:src|href)="(\.[^"]+)"/g)].map(
    ([, path]) => new URL(path ?? '', `${url}/inspect`).href,
  )
}

describe('GET /inspect', () => {
  test('is there by default with an issuer on loopback, and nowhere else', async () => {
    for (const [issuer, status] of [
      ['http://127.0.0.1:5000', 200],
      ['http://localhost:5000', 200],
      ['https://localhost', 200],
      ['https://auth.example.com', 404],
      ['https://localhost.example.com', 404],
    ] as const) {
      await using server = await startAuth({ issuer })
      assert.equal((await ask(`${server.url}/inspect`)).status, status, issuer)
    }
  })

  test('can be turned on and off', async () => {
    await using on = await startAuth({ issuer: 'https://auth.example.com', inspector: true })
    assert.equal((await ask(`${on.url}/inspect`)).status, 200)
    const files = (await filesOf(on.url)).map((file) => new URL(file).pathname)
    assert.ok(files.length > 0)
    await using off = await startAuth({ inspector: false })
    for (const path of ['/inspect', ...files]) assert.equal((await ask(off.url + path)).status, 404, path)
  })

  test('the command reads SEALWAX_INSPECTOR', () => {
    const settings = { SEALWAX_ISSUER: 'https://auth.example.com', SEALWAX_AUDIENCE: 'api', SEALWAX_SECRET: SECRET }
    const read = (value: string) => readEnvironment({ ...settings, SEALWAX_INSPECTOR: value }).auth.inspector
    assert.deepEqual([read('true'), read('false')], [true, false])
    assert.throws(() => read('yes'), /SEALWAX_INSPECTOR/)
  })

  test('works below a base path: everything that it loads is below it, too', async () => {
    await using server = await startAuth({ basePath: '/auth' })
    assert.equal((await ask(`${server.url}/inspect`)).status, 404)
    const files = await filesOf(`${server.url}/auth`)
    assert.ok(files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css')))
    for (const file of files) {
      assert.ok(file.startsWith(`${server.url}/auth/assets/`), file)
      assert.equal((await ask(file)).status, 200, file)
    }
  })

  test('its policy allows only what is on this server, and nothing inline', async () => {
    await using server = await startAuth()
    const { headers, body } = await ask(`${server.url}/inspect`)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; /)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    for (const directive of ["script-src 'self'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) {
      assert.ok(policy.split('; ').includes(directive), directive)
    }
    assert.doesNotMatch(body.toString(), /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?:\/\//)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
    assert.equal(headers['access-control-allow-origin'], undefined)
  })

  test('is checked for changes at each visit; what it loads is kept for good', async () => {
    await using server = await startAuth()
    const page = await ask(`${server.url}/inspect`)
    assert.equal(page.headers['cache-control'], 'no-cache')
    for (const file of await filesOf(server.url)) {
      const { headers } = await ask(file)
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable', file)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.match(String(headers['content-type']), /^text\/(javascript|css); charset=utf-8$/)
    }
  })

  test('is not sent again to a browser that has it', async () => {
    await using server = await startAuth()
    const url = `${server.url}/inspect`
    const { headers } = await ask(url)
    const etag = headers.etag as string
    for (const tags of [etag, `"other", ${etag}`, etag.replace(/^W\//, '')]) {
      const again = await ask(url, { 'If-None-Match': tags })
      assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, etag], tags)
      assert.equal(again.headers['content-security-policy'], headers['content-security-policy'])
    }
    assert.equal((await ask(url, { 'If-None-Match': '"other"' })).status, 200)
  })

  test('is compressed as the browser asks for it', async () => {
    await using server = await startAuth()
    const url = `${server.url}/inspect`
    const plain = await ask(url)
    assert.deepEqual([plain.headers['content-encoding'], plain.headers.vary], [undefined, 'Accept-Encoding'])
    const cases = [
      ['gzip, deflate, br, zstd', 'br'],
      ['br', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0, gzip;q=0.5', 'gzip'],
      ['deflate', undefined],
      ['br;q=0', undefined],
    ] as const
    for (const [accepted, encoding] of cases) {
      const { headers, body } = await ask(url, { 'Accept-Encoding': accepted })
      assert.equal(headers['content-encoding'], encoding, accepted)
      assert.equal(headers.vary, 'Accept-Encoding')
      const decode =
        encoding === 'br' ? brotliDecompressSync : encoding === 'gzip' ? gunzipSync : (same: Buffer) => same
      assert.deepEqual(decode(body), plain.body)
    }
  })

  test('answers HEAD like GET, without the body, and no other method', async () => {
    await using server = await startAuth()
    const url = `${server.url}/inspect`
    const [got, head] = [await ask(url), await ask(url, {}, 'HEAD')]
    assert.deepEqual([head.status, head.body.length], [200, 0])
    for (const name of ['content-type', 'etag', 'content-security-policy', 'cache-control']) {
      assert.equal(head.headers[name], got.headers[name], name)
    }
    for (const method of ['POST', 'PUT', 'DELETE']) assert.equal((await ask(url, {}, method)).status, 405, method)
  })

  test('loads at most 40 KiB', async () => {
    await using server = await startAuth()
    const urls = [`${server.url}/inspect`, ...(await filesOf(server.url))]
    const sizes = await Promise.all(urls.map(async (url) => (await ask(url, { 'Accept-Encoding': 'br' })).body.length))
    const sum = sizes.reduce((total, size) => total + size)
    assert.ok(sum > 10_000 && sum <= 40 * 1024, `${sum} octets`)
  })
})
