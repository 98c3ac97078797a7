// What the container file does: the command from the packed packages, until /readyz says yes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const settings = {
  SEALWAX_ISSUER: 'http://127.0.0.1:5000',
  SEALWAX_AUDIENCE: 'api',
  SEALWAX_SECRET: 'Zq8v-test-only-4Rk1Xw7Lm2Pt9Vb6Nc3d',
  SEALWAX_DATABASE_URL: 'sqlite:serve.db',
  SEALWAX_PORT: '0',
}
const env = { PATH: process.env.PATH, ...settings }
const server = spawn(process.execPath, ['node_modules/sealwax/bin/sealwax.js', 'serve'], {
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const closed = new Promise((resolve) => server.once('close', resolve))
for await (const line of createInterface({ input: server.stdout })) {
  const { msg, url } = JSON.parse(line)
  if (msg !== 'listening') continue
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  assert.equal((await fetch(`${url}/inspect`)).status, 200, 'the pages are in the package')
  server.kill('SIGTERM')
}
assert.equal(await closed, 0)
