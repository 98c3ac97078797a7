import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { createGuard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/node'
import { exportJwk, generateKey, importKey, type SigningKey, sign } from '@sealwax/jwt'
import express from 'express'
import { expressjwt } from 'express-jwt'
import jsonwebtoken from 'jsonwebtoken'
import { type AttackResult, attack } from '../../src/attack/attack.ts'
import { guessSecret, logIn, readCredentials } from '../../src/attack/credentials.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
})

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const run = (origin: string, token: string, more: Partial<Parameters<typeof attack>[0]> = {}) =>
  attack({ url: new URL('/profile', origin), method: 'GET', credentials: { token }, ...more })

const named = ({ findings }: AttackResult, name: RegExp) =>
  findings.filter((finding) => name.test(finding.name)).map(({ fault }) => fault)

const claims = { sub: 'ann', sid: 's-1' }

test('attack: a route behind a guard of ours refuses everything, also with a cookie and with a published key', async (t) => {
  const key = await generateKey('ES256')
  const origin = await listen(t, (req, res) => {
    if (req.url === '/jwks') return res.end(JSON.stringify({ keys: [exportJwk(key.publicKey)] }))
    if (req.url !== '/profile') return res.writeHead(404).end()
    return listener(req, res)
  })
  const options = { issuer: origin, audience: 'api', keys: key, revocation: null, cookie: { name: 'access' } }
  const listener = protect(createGuard(options), (_req, res, auth) => res.end(`profile of ${auth.subject}`))
  const token = sign(claims, key, { issuer: origin, audience: 'api', typ: 'at+jwt', expiresIn: '15m' })
  const result = await run(origin, token, { cookie: 'access', jwks: `${origin}/jwks` })
  assert.deepEqual(result.findings, [])
  assert.ok(result.attempts > 150, `${result.attempts} attempts`)
  assert.ok(!result.left.some((line) => line.includes('public key')), 'the key was found')
})

test('attack: express-jwt with the secret of its README accepts what it should not', async (t) => {
  const secret = 'shhhhhhared-secret'
  const app = express()
  app.get('/profile', expressjwt({ secret, algorithms: ['HS256'] }), (req, res) => {
    res.send(`profile of ${(req as { auth?: { sub?: string } }).auth?.sub}`)
  })
  const origin = await listen(t, app)
  const token = jsonwebtoken.sign(claims, secret, { expiresIn: '7d' })
  const refreshToken = jsonwebtoken.sign({ ...claims, type: 'refresh' }, secret, { expiresIn: '30d' })
  const result = await run(origin, token, { credentials: { token, refreshToken } })
  assert.deepEqual(named(result, /^the valid token$/), [
    'is signed with a secret from a list of common ones: anyone can make tokens',
    'is valid for 168 hours',
  ])
  assert.deepEqual(named(result, /^the refresh token/), ['was accepted (200)'])
})

/** What people write without a library. */
function byHand(publicPem: string): RequestListener {
  const decode = (segment: string) => JSON.parse(Buffer.from(segment, 'base64url').toString())
  const tokenOf = ({ headers, url = '' }: IncomingMessage) =>
    headers.authorization?.replace('Bearer', '').trim() ??
    new URL(url, 'http://x').searchParams.get('token') ??
    /token=([^;]+)/.exec(headers.cookie ?? '')?.[1]
  const isValid = (token: string) => {
    const [header = '', payload = '', signature] = token.split('.')
    const { alg } = decode(header)
    if (alg.toLowerCase() === 'none') return true
    if (alg.startsWith('HS'))
      return (
        createHmac(`sha${alg.slice(2)}`, publicPem)
          .update(`${header}.${payload}`)
          .digest('base64url') === signature
      )
    return jsonwebtoken.verify(token, publicPem) !== undefined
  }
  return (req: IncomingMessage, res: ServerResponse) => {
    res.setHeader('Access-Control-Allow-Origin', req.headers.origin ?? '*')
    res.setHeader('Access-Control-Allow-Credentials', 'true')
    const token = tokenOf(req)
    try {
      if (req.method !== 'OPTIONS' && !isValid(token ?? '')) throw new Error('invalid')
      return res.end('the profile')
    } catch (error) {
      return res.writeHead(error instanceof jsonwebtoken.JsonWebTokenError ? 401 : 500).end(`no entry for ${token}`)
    }
  }
}

test('attack: a check written by hand accepts forged tokens, tokens in URLs and requests of other sites', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }))
  const key = importKey(privateKey) as SigningKey
  const listener = byHand(pem)
  const origin = await listen(t, (req, res) =>
    req.url === '/jwks' ? res.end(JSON.stringify({ keys: [exportJwk(key)] })) : listener(req, res),
  )
  const token = sign(claims, key, { issuer: origin, audience: 'api', typ: null, expiresIn: '15m' })
  const result = await run(origin, token, { cookie: 'token', jwks: `${origin}/jwks` })
  const expected: readonly [name: RegExp, fault: RegExp][] = [
    [/alg is "none", no signature/, /was accepted/],
    [/alg is "nOnE", no signature/, /was accepted/],
    [/HS256 with the public key as PEM$/, /was accepted/],
    [/the scheme alone/, /made the server fail/],
    [/another scheme/, /with the token in it/],
    [/the token in the URL, as token/, /was accepted/],
    [/POST with the cookie from another site$/, /was accepted/],
    [/a WebSocket handshake with the cookie/, /shows what is guarded/],
    [/a request from another site, /, /lets that site read/],
    [/no token, OPTIONS with X-HTTP-Method-Override|no token, the method OPTIONS/, /shows what is guarded/],
  ]
  for (const [name, fault] of expected) {
    assert.ok(
      named(result, name).some((found) => fault.test(found)),
      `${name}: ${JSON.stringify(named(result, name))}`,
    )
  }
})

test('attack: refresh tokens that do not rotate, fork or are never retired are found', async (t) => {
  const key = await generateKey('ES256')
  const issue = (origin: string) => sign(claims, key, { issuer: origin, audience: 'api', typ: null, expiresIn: '15m' })
  const servers: readonly [next: (given: string) => string, fault: RegExp][] = [
    [(given) => given, /returns the same token/],
    [() => randomUUID(), /8 different refresh tokens/],
    [(given) => (given.startsWith('next') ? `next of ${given}` : 'next'), /still works 0\.? ?\d* ?s after/],
  ]
  for (const [next, fault] of servers) {
    const guard = createGuard({
      issuer: 'i',
      audience: 'api',
      typ: null,
      requiredClaims: ['sub'],
      keys: key,
      revocation: null,
    })
    const profile = protect(guard, (_req, res) => res.end('the profile'))
    const origin = await listen(t, async (req, res) => {
      if (req.url !== '/refresh') return profile(req, res)
      let body = ''
      for await (const chunk of req) body += chunk
      return res.end(JSON.stringify({ refresh_token: next(JSON.parse(body).refresh_token) }))
    })
    const credentials = { token: issue('i'), refreshToken: 'first' }
    const { findings } = await run(origin, '', { credentials, refresh: { url: new URL('/refresh', origin), grace: 0 } })
    assert.ok(
      findings.some((finding) => fault.test(finding.fault)),
      JSON.stringify(findings),
    )
  }
})

test('attack: without a valid token that the route accepts, nothing is sent', async (t) => {
  let requests = 0
  const origin = await listen(t, (_req, res) => {
    requests += 1
    res.writeHead(401).end()
  })
  const token = sign(claims, await generateKey('ES256'), { issuer: 'i', audience: 'a', typ: null, expiresIn: 60 })
  await assert.rejects(run(origin, token), { code: 'config_invalid', message: /must accept the valid token before/ })
  assert.equal(requests, 1)
  await assert.rejects(run('http://127.0.0.1:1', token), { code: 'config_invalid', message: /does not reply/ })
})

test('attack: the log-in prints a token or the JSON of a token response; nothing of it is in an error', async () => {
  const token = sign(claims, await generateKey('ES256'), { issuer: 'i', audience: 'a', typ: null, expiresIn: 60 })
  assert.deepEqual(readCredentials(` ${token}\n`), { token })
  const json = JSON.stringify({ access_token: token, refresh_token: 'r', id_token: 'i', expires_in: 60 })
  assert.deepEqual(readCredentials(json), { token, refreshToken: 'r', idToken: 'i' })
  for (const wrong of ['', '{}', '{', '{"access_token":7}']) {
    assert.throws(() => readCredentials(wrong), { code: 'config_invalid', message: /There is no access token/ })
  }
  assert.throws(() => readCredentials('opaque-and-secret'), { message: /is not a JWT/ })
  assert.deepEqual(await logIn(`echo ${token}`), { token })
  await assert.rejects(logIn('echo nothing'), { code: 'config_invalid', message: /is not a JWT/ })
  await assert.rejects(logIn('exit 4'), { message: /failed with code 4$/ })
  await assert.rejects(logIn('echo wrong password >&2; exit 3'), { message: /failed with code 3: wrong password/ })
})

test('attack: a common secret is guessed, as text and as base64', () => {
  const made = (secret: string | Buffer) => jsonwebtoken.sign(claims, secret, { algorithm: 'HS512' })
  assert.equal(guessSecret(made('your-256-bit-secret')), 'your-256-bit-secret')
  assert.equal(guessSecret(made(Buffer.from('changeme', 'base64'))), 'changeme')
  assert.equal(guessSecret(made(randomUUID())), undefined)
})

async function command(args: string[], input = '') {
  const child = spawn(process.execPath, [BIN, 'attack', ...args], { env: { PATH: process.env.PATH ?? '' } })
  children.push(child)
  child.stdin.end(input)
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, ...output }
}

test('sealwax attack: exits with 1 and names the rule for each finding; hosts elsewhere need a flag', async (t) => {
  const secret = 'shhhhhhared-secret'
  const app = express()
  app.get('/profile', expressjwt({ secret, algorithms: ['HS256'] }), (_req, res) => void res.send('the profile'))
  const url = `${await listen(t, app)}/profile`
  const token = jsonwebtoken.sign(claims, secret, { expiresIn: '15m' })
  const { code, stdout } = await command([url], token)
  assert.equal(code, 1)
  assert.match(stdout, /^FAIL {2}the valid token: is signed with a secret from a list .*\. RFC 8725 §3\.5$/m)
  assert.match(stdout, /^1\d\d hostile requests, \d+ findings?\.$/m)
  assert.ok(!stdout.includes(token.slice(-20)))
  const json = await command([url, '--json'], token)
  assert.ok(JSON.parse(json.stdout).findings.length > 0)
  const wrong: readonly [args: string[], message: RegExp][] = [
    [['https://example.com/profile'], /example\.com is not this machine.*--i-own-this/],
    [['/profile'], /"\/profile" is not the URL of a route/],
    [[url, '--refresh', 'https://example.com/refresh'], /example\.com is not this machine/],
    [[url, '--refresh-grace', 'x'], /must be a number of seconds/],
    [[url, '--origin', 'app.example.com'], /must be an origin such as .*, not "app\.example\.com"/],
    [[url, '--origin', 'https://app.example.com/'], /must be an origin/],
  ]
  for (const [args, message] of wrong) {
    const refused = await command(args, token)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, message)
  }
  assert.match((await command([url])).stderr, /There is no access token/)
})
