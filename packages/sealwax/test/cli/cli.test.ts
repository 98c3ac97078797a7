import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { importKey, isSigningKey, thumbprint } from '@sealwax/jwt'
import { adminUser } from '../../src/accounts/schemas.ts'
import { apiClient, issuedSecret } from '../../src/oauth/schemas.ts'
import { signingKey } from '../../src/signing-keys/schemas.ts'
import { VERSION } from '../../src/version.ts'
import { tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const PASSWORD = 'a password long enough'
const SECRET = 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3'
const temporary = tempDir()
const directory = temporary.path
const children: ChildProcess[] = []
after(async () => {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  const ended = running.map((child) => once(child, 'exit'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(ended)
  temporary[Symbol.dispose]()
})

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function environment(settings: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    SEALWAX_ISSUER: 'https://auth.example.com',
    SEALWAX_AUDIENCE: 'https://api.example.com',
    SEALWAX_SECRET: SECRET,
    SEALWAX_DATABASE_URL: `sqlite:${join(directory, 'cli.db')}`,
    SEALWAX_PORT: '0',
    ...settings,
  }
}

async function run(args: string[], settings: Record<string, string> = {}, stdin = ''): Promise<Run> {
  const child = spawn(process.execPath, [BIN, ...args], { env: environment(settings) })
  children.push(child)
  const output = collect(child)
  child.stdin.end(stdin)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, ...output }
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk
  })
  return output
}

/** Starts `sealwax serve` and waits until it logs its URL. */
async function serve(settings: Record<string, string> = {}) {
  const child = spawn(process.execPath, [BIN, 'serve'], { env: environment(settings) })
  children.push(child)
  const output = collect(child)
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const line = output.stdout.split('\n').find((text) => text.includes('"listening"'))
      if (line !== undefined) resolve(JSON.parse(line).url)
    })
    child.on('close', () => reject(new Error(output.stderr)))
  })
  const stopped = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, output, url, stopped }
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
}

test('cli: the OpenAPI document is printed without settings or database', async () => {
  const none = { SEALWAX_ISSUER: '', SEALWAX_AUDIENCE: '', SEALWAX_SECRET: '' }
  const { code, stdout, stderr } = await run(
    ['openapi', '--issuer', 'https://example.com', '--base-path', '/auth'],
    none,
  )
  assert.deepEqual([code, stderr], [0, ''])
  const { openapi, servers, paths } = JSON.parse(stdout)
  assert.deepEqual([openapi, servers], ['3.1.0', [{ url: 'https://example.com/auth' }]])
  assert.ok('/login' in paths)
  const refused = await run(['openapi', '--issuer', 'http://example.com'], none)
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(refused.stderr, /issuer must be https/)
})

test('cli: a user created with a password from stdin can log in; the log contains no secret; SIGTERM ends the server', async () => {
  const created = await run(
    ['users', 'create', '--email', 'Alex@Example.com', '--role', 'teacher'],
    {},
    `${PASSWORD}\n`,
  )
  assert.equal(created.stderr, '')
  assert.deepEqual(JSON.parse(created.stdout).roles, ['teacher'])
  const { child, output, url, stopped } = await serve()
  const login = await post(`${url}/login`, { email: 'alex@example.com', password: PASSWORD })
  assert.equal(login.status, 200)
  const tokens = (await login.json()) as { access_token: string; refresh_token: string }
  assert.equal((await post(`${url}/refresh`, { refresh_token: tokens.refresh_token })).status, 200)
  assert.equal((await post(`${url}/login`, { email: 'alex@example.com', password: 'wrong' })).status, 401)
  child.kill('SIGTERM')
  assert.equal(await stopped, 0)
  for (const secret of [PASSWORD, SECRET, tokens.access_token, tokens.refresh_token, '$argon2']) {
    assert.ok(!output.stdout.includes(secret) && !output.stderr.includes(secret))
  }
  const lines = output.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(lines.some(({ path, status }) => path === '/login' && status === 200))
  assert.ok(lines.some(({ event }) => event === 'user.login_failed'))
  const { level, time, ...session } = lines.find(({ event }) => event === 'session.created')
  assert.deepEqual([level, typeof time], [30, 'number'])
  const { ip, subject, session_id } = session
  const expected = { ip, user_agent: 'node', subject, session_id, data: { amr: ['pwd'] } }
  assert.deepEqual(session, { event: 'session.created', msg: 'audit', ...expected }, 'as in GET /admin/audit')
  assert.ok(ip && subject && session_id)
})

test('cli: SIGTERM lets a running request finish', async () => {
  const { child, url, stopped } = await serve()
  const login = post(`${url}/login`, { email: 'alex@example.com', password: PASSWORD })
  // Hashing takes tens of milliseconds, so the signal arrives during it.
  await new Promise((resolve) => setTimeout(resolve, 15))
  child.kill('SIGTERM')
  assert.equal((await login).status, 200)
  assert.equal(await stopped, 0)
})

test('cli: the threads that check passwords have a lower priority than the event loop', {
  skip: process.platform !== 'linux' && 'only Linux has priorities per thread',
}, async () => {
  const { child } = await serve()
  const tasks = `/proc/${child.pid}/task`
  const threads = readdirSync(tasks).map((id) => ({
    name: readFileSync(`${tasks}/${id}/comm`, 'latin1').trim(),
    lower: getPriority(Number(id)) - getPriority(),
  }))
  child.kill('SIGKILL')
  const lower = Math.min(10, 19 - getPriority())
  assert.ok(threads.some(({ name }) => name === 'libuv-worker'))
  for (const thread of threads) assert.equal(thread.lower, thread.name === 'libuv-worker' ? lower : 0, thread.name)
})

test('cli: --version prints the version, without settings', async () => {
  const { code, stdout } = await run(['--version'], { SEALWAX_ISSUER: '', SEALWAX_SECRET: '' })
  assert.deepEqual([code, stdout], [0, `${VERSION}\n`])
})

test('cli: users, keys and clients are printed with the members of the HTTP API, one JSON line each', async () => {
  const created = await run(['clients', 'create', '--name', 'nightly export', '--scope', 'orders:read'])
  assert.equal(issuedSecret.strict().parse(JSON.parse(created.stdout)).client.name, 'nightly export')
  for (const [group, schema] of [
    ['users', adminUser],
    ['keys', signingKey],
    ['clients', apiClient],
  ] as const) {
    const { code, stdout } = await run([group, 'list'])
    const lines = stdout.trim().split('\n')
    assert.deepEqual([code, lines.length > 0], [0, true])
    for (const line of lines) schema.strict().parse(JSON.parse(line))
  }
})

test('cli: a taken email and a short password print a one-line error', async () => {
  const taken = await run(['users', 'create', '--email', 'alex@example.com'], {}, PASSWORD)
  assert.equal(taken.code, 1)
  assert.equal(taken.stderr, 'sealwax: This e-mail address is taken (email_taken)\n')
  const short = await run(['users', 'create', '--email', 'b@example.com'], {}, 'short')
  assert.match(short.stderr, /^sealwax: The password must have at least 15 characters \(password_too_short\)\n$/)
})

test('cli: a missing secret prints an error without a stack trace', async () => {
  const refused = await run(['serve'], { SEALWAX_SECRET: '' })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /SEALWAX_SECRET is missing: make one with/)
  assert.ok(!refused.stderr.includes('    at '))
})

test('cli: a wrong secret prints an error with the fingerprint of the right one', async () => {
  const refused = await run(['serve'], { SEALWAX_SECRET: 'Hs7L-test-only-k2Nc9Wr4Jd6Tf1Bm5Xq8' })
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /fingerprint [0-9a-f]{16} is missing.*sealwax secrets forget [0-9a-f]{16}.*\(keys_unavailable\)/,
  )
})

test('cli: keys list, rotate and revoke work; revoke changes nothing without --now', async () => {
  const list = async () => {
    const { stdout, code } = await run(['keys', 'list'])
    assert.equal(code, 0)
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kid: string; state: string })
  }
  const [signing, standby] = await list()
  assert.deepEqual([signing?.state, standby?.state], ['signing', 'published'])
  const kid = signing?.kid ?? ''
  const hesitant = await run(['keys', 'revoke', kid])
  assert.deepEqual(
    [hesitant.code, hesitant.stderr],
    [1, 'sealwax: Use --dry-run to see who is affected, or --now to revoke the key (config_invalid)\n'],
  )
  const dry = await run(['keys', 'revoke', kid, '--dry-run'])
  assert.match(
    dry.stdout,
    /^Nothing was changed. With --now:\nrevoked: .+\nsigns from now on: .+\naffected: \d+ sessions? of 1 user, which renew/,
  )
  assert.deepEqual(await list(), [signing, standby])
  const done = await run(['keys', 'revoke', kid, '--now', '--end-sessions'])
  assert.match(
    done.stdout,
    /^Done.\nrevoked: .+\nsigns from now on: .+\naffected: .+, which end: these users must log in again\n/,
  )
  assert.ok(done.stdout.includes(standby?.kid ?? ''))
  assert.deepEqual(
    (await list()).map(({ state }) => state),
    ['revoked', 'signing', 'published'],
  )
  const rotated = await run(['keys', 'rotate'])
  // The standby is new, so it is scheduled to sign later, and another standby is created.
  assert.equal(rotated.stdout.trim().split('\n').length, 4)
  const unknown = await run(['keys', 'revoke', 'nobody', '--now'])
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'sealwax: There is no such signing key (not_found)\n'])
})

test('cli: a port in use prints a one-line error with a command to try', async () => {
  const blocker = createServer()
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
  const { port } = blocker.address() as { port: number }
  const refused = await run(['serve'], { SEALWAX_PORT: String(port) })
  blocker.close()
  assert.equal(refused.code, 1)
  assert.equal(refused.stderr, `sealwax: port ${port} is in use. Try: SEALWAX_PORT=${port + 1} sealwax serve\n`)
})

test('cli: serve uses TLS if a certificate and a key are set', async () => {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...curve, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'pipe',
  })
  const { child, url, stopped } = await serve({ SEALWAX_TLS_CERT: cert, SEALWAX_TLS_KEY: key })
  assert.ok(url.startsWith('https://'))
  const body = await new Promise((resolve, reject) => {
    const options = {
      port: new URL(url).port,
      host: '127.0.0.1',
      servername: 'localhost',
      path: '/healthz',
      ca: readFileSync(cert),
    }
    request(options, (response) => resolve(json(response)))
      .on('error', reject)
      .end()
  })
  assert.deepEqual(body, { status: 'ok' })
  child.kill('SIGTERM')
  assert.equal(await stopped, 0)
})

test('keys generate prints a key without settings: a JWK or PEM, and the public key into a new file', async () => {
  const bare = async (...args: string[]) => {
    const child = spawn(process.execPath, [BIN, 'keys', 'generate', ...args], { env: { PATH: process.env.PATH ?? '' } })
    children.push(child)
    const output = collect(child)
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, ...output }
  }
  const jwk = JSON.parse((await bare()).stdout)
  assert.equal(jwk.alg, 'ES256')
  assert.ok(isSigningKey(importKey(jwk)))
  const file = join(directory, 'public.jwk.json')
  const made = await bare('--alg', 'ML-DSA-44', '--kid', 'k-1', '--public', file)
  assert.equal(made.code, 0, made.stderr)
  const { priv, ...published } = JSON.parse(made.stdout)
  assert.equal(Buffer.from(priv, 'base64url').length, 32)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), published)
  assert.equal(published.kid, 'k-1')
  const pemFile = join(directory, 'public.pem')
  const { stdout: pem } = await bare('--alg', 'RS256', '--pem', '--public', pemFile)
  assert.match(pem, /^-----BEGIN PRIVATE KEY-----\n[\s\S]+\n-----END PRIVATE KEY-----\n$/)
  assert.equal(thumbprint(importKey(pem)), thumbprint(importKey(readFileSync(pemFile, 'utf8'))))
  const wrong: readonly [args: string[], message: RegExp][] = [
    [['--alg', 'none'], /--alg must be one of ES256 /],
    [['--pem', '--jwk'], /Use --pem or --jwk, not both/],
    [['--pem', '--kid', 'k'], /A PEM has no key id/],
    [['--alg', 'HS256', '--pem'], /HS256 has a secret, which has no PEM/],
    [['--alg', 'HS256', '--public', join(directory, 'other')], /A secret has no public key/],
    [['--public', file], /The public key could not be written: EEXIST/],
    [['--kid', 'k'.repeat(300)], /kid must be a string of 1 to 256 characters/],
  ]
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await bare(...args)
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, message)
    assert.equal(stdout, '')
  }
})
