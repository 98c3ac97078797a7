import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ALEX } from '../src/demo.ts'
import { startServer } from '../src/server.ts'

const SEALWAX = join(import.meta.dirname, '../../../packages/sealwax/bin/sealwax.js')

test('sealwax attack finds nothing in the learning platform', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'learning-platform-attacked-'))
  const server = await startServer({ port: 0, dataDir, refreshGrace: '1s' })
  t.after(async () => {
    await server.close()
    rmSync(dataDir, { recursive: true })
  })
  const { email, password } = ALEX
  const logIn = `fetch('${server.url}/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '${JSON.stringify({ email, password })}' }).then((reply) => reply.text()).then(console.log)`
  const login = `"${process.execPath}" -e "${logIn.replaceAll('"', '\\"')}"`
  const options = ['--login', login, '--refresh', `${server.url}/refresh`, '--refresh-grace', '2']
  const { stdout } = await promisify(execFile)(process.execPath, [
    SEALWAX,
    'attack',
    `${server.url}/profile`,
    ...options,
  ])
  assert.match(stdout, /^1\d\d hostile requests: http:\/\/127\.0\.0\.1:\d+\/profile refused all of them\.\n/)
  assert.doesNotMatch(stdout, /HS256 with the public key|refresh races/, 'both were tried')
})
