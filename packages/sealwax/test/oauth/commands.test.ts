import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { toNodeHandler } from '../../src/http/node.ts'
import { createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { call, listen, SECRET, standing, tempDir } from '../server.ts'
import { basic, type Credentials } from './oauth.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')

async function sealwax(file: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH ?? '',
    SEALWAX_ISSUER: 'http://127.0.0.1:5000',
    SEALWAX_AUDIENCE: 'api',
    SEALWAX_SECRET: SECRET,
    SEALWAX_DATABASE_URL: `sqlite:${file}`,
  }
  const child = spawn(process.execPath, [BIN, 'clients', ...args], { env })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, ...output }
}

test('cli: clients are created, rotated, changed, disabled, enabled and deleted next to a running server', async () => {
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const auth = await createAuth({
    issuer: 'http://127.0.0.1:5000',
    audience: 'api',
    secret: SECRET,
    store: sqliteStore(file),
  })
  await using server = await listen(toNodeHandler(auth))
  const ask = (as: Credentials) =>
    call(server.url, '/oauth/token', {
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: basic(as),
    })
  /** Runs a command that must succeed and print exactly one JSON line. */
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await sealwax(file, ...args)
    assert.deepEqual([code, stderr, stdout.split('\n').length], [0, '', 2], args.join(' '))
    return JSON.parse(stdout)
  }

  const created = await run('create', '--name', 'nightly export', '--scope', 'orders:read', '--scope', 'x')
  const { id } = created.client
  const first = { id, secret: created.secret }
  assert.deepEqual([created.client.name, created.client.scopes], ['nightly export', ['orders:read', 'x']])
  const token = (await ask(first)).body.access_token
  assert.equal(await standing(auth, token), 'accepted')

  const listed = await run('list')
  assert.deepEqual(listed, created.client)
  const { secret } = await run('rotate', id, '--overlap', '1h')
  assert.deepEqual([(await ask(first)).status, (await ask({ id, secret })).status], [200, 200])
  const { secrets } = await run('list')
  assert.deepEqual(secrets.map(Object.keys), [
    ['created_at', 'expires_at'],
    ['created_at', 'expires_at'],
  ])
  const again = await sealwax(file, 'rotate', id)
  assert.deepEqual([again.code, again.stdout], [1, ''])
  assert.ok(
    again.stderr.includes(secrets[0].expires_at) && again.stderr.endsWith('(rotation_under_way)\n'),
    again.stderr,
  )
  const last = { id, secret: (await run('rotate', id, '--overlap', '0')).secret }
  assert.deepEqual([(await ask({ id, secret })).status, (await ask(last)).status], [401, 200])

  assert.equal((await run('update', id, '--name', 'export')).name, 'export')
  assert.deepEqual((await run('update', id, '--scope', 'x')).scopes, ['x'])
  assert.deepEqual((await run('update', id, '--scope', '')).scopes, [])
  for (let i = 0; i < 100 && (await standing(auth, token)) === 'accepted'; i += 1)
    await new Promise((done) => setTimeout(done, 20))
  assert.equal(await standing(auth, token), 'token_stale')

  assert.equal((await run('disable', id)).disabled, true)
  assert.equal((await ask(last)).status, 401)
  assert.equal((await run('enable', id)).disabled, false)
  assert.equal((await ask(last)).status, 200)
  assert.deepEqual(await sealwax(file, 'delete', id), { code: 0, stdout: '', stderr: '' })
  assert.equal((await ask(last)).status, 401)
  await auth.close()
})

test('cli: failed clients commands print one sentence', async () => {
  using directory = tempDir()
  const file = join(directory.path, 'auth.db')
  const unknown = `cli_${'A'.repeat(22)}`
  const missing = 'sealwax: There is no such client (not_found)\n'
  for (const args of [
    ['delete', unknown],
    ['rotate', unknown],
    ['disable', 'x'],
    ['update', unknown, '--name', 'x'],
  ]) {
    assert.deepEqual(await sealwax(file, ...args), { code: 1, stdout: '', stderr: missing }, args.join(' '))
  }
  for (const args of [
    ['create', '--name', ''],
    ['create', '--name', 'x', '--scope', 'a b'],
    ['rotate', unknown, '--overlap', 'soon'],
    ['update', unknown],
  ]) {
    const { code, stderr } = await sealwax(file, ...args)
    assert.deepEqual([code, stderr.split('\n').length], [1, 2])
    assert.match(stderr, /^sealwax: .+ \(validation_failed\)\n$/)
  }
  assert.match((await sealwax(file, 'update', unknown)).stderr, /--name .+--scope/)
  assert.match((await sealwax(file, 'create')).stderr, /required option '--name <name>'/)
})
