import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createAuth } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { PASSWORD, SECRET, tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const EMAIL = 'ann@example.com'

/** Runs `sealwax throttle …`. */
function throttle(database: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH ?? '',
    SEALWAX_ISSUER: 'http://127.0.0.1:5000',
    SEALWAX_AUDIENCE: 'api',
    SEALWAX_SECRET: SECRET,
    SEALWAX_DATABASE_URL: `sqlite:${database}`,
  }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [BIN, 'throttle', ...args], { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

describe('throttle commands', () => {
  it('show prints the counters of an account, and clear deletes them', async () => {
    using directory = tempDir()
    const file = join(directory.path, 'a.db')
    const auth = await createAuth({
      ...{ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET },
      store: sqliteStore(file),
    })
    await auth.users.create({ email: EMAIL, password: PASSWORD })
    const wrong = async () => {
      const body = JSON.stringify({ email: EMAIL, password: 'not the right one' })
      const headers = { 'Content-Type': 'application/json' }
      const request = new Request('http://127.0.0.1:5000/login', { method: 'POST', headers, body })
      return (await auth.fetch(request, { address: '192.0.2.7' })).status
    }
    for (let i = 0; i < 5; i++) assert.equal(await wrong(), 401)
    assert.equal(await wrong(), 429)
    const shown = await throttle(file, 'show', 'Ann@Example.com')
    const counters = shown.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(counters.map(({ action, kind, count }) => `${action} ${kind} ${count}`).sort(), [
      'login account 5',
      'login caller 5',
    ])
    assert.equal((await throttle(file, 'clear', EMAIL)).stdout, 'Counters deleted: 2\n')
    assert.equal((await throttle(file, 'show', EMAIL)).stdout, '')
    const [cleared] = (await auth.audit.list({ type: 'throttle.cleared' })).data
    assert.deepEqual(cleared?.data, { counters: 2 })
    await auth.close()
  })

  it('simulate prints what the limits would have done with a trace', async () => {
    using directory = tempDir()
    const trace = join(directory.path, 'trace.csv')
    const guess = '2026-01-15T09:00:00Z,ann@example.com,203.0.113.1,,false\n'
    const owner = '2026-01-15T09:00:00Z,ann@example.com,192.0.2.7,phone,true\n'
    writeFileSync(trace, `time,account,network,device,ok\n${guess.repeat(7)}${owner}`)
    const { code, stdout } = await throttle(join(directory.path, 'a.db'), 'simulate', trace)
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), {
      ...{ attempts: 8, guesses_checked: 5, guesses_refused: 2, refused_by: { caller: 2, account: 1 } },
      ...{ owner_logins: 1, owner_waited: 1, longest_owner_wait: 1 },
    })
    const missing = await throttle(join(directory.path, 'a.db'), 'simulate', 'none.csv')
    assert.deepEqual([missing.code, missing.stdout], [1, ''])
    assert.match(missing.stderr, /The trace cannot be read: ENOENT/)
  })
})
