import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, it } from 'node:test'
import { createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { SECRET, tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const BCRYPT = '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e'
const row = (i: number) => `${JSON.stringify({ email: `u${i}@example.com`, id: `u${i}`, password_hash: BCRYPT })}\n`

let postgres: Promise<PostgresServer> | undefined
const directory = tempDir()
after(async () => {
  directory[Symbol.dispose]()
  await (await postgres)?.remove()
})
const pathOf = (name: string) => join(directory.path, name)
function fileOf(name: string, content: string): string {
  writeFileSync(pathOf(name), content)
  return pathOf(name)
}

const DATABASES: Readonly<Record<string, (name: string) => Promise<string>>> = {
  sqlite: async (name) => `sqlite:${pathOf(`${name}.db`)}`,
  async postgres() {
    postgres ??= startPostgres()
    return (await postgres).createDatabase()
  },
}

/** Starts `sealwax users import …`. */
function start(url: string, args: readonly string[]) {
  const env = {
    PATH: process.env.PATH ?? '',
    SEALWAX_ISSUER: 'http://127.0.0.1:5000',
    SEALWAX_AUDIENCE: 'api',
    SEALWAX_SECRET: SECRET,
    SEALWAX_DATABASE_URL: url,
  }
  const child = spawn(process.execPath, [BIN, 'users', 'import', ...args], { env })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      output[name] += chunk
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }))
  return { child, output, ended }
}

function run(url: string, args: readonly string[], stdin = '') {
  const { child, ended } = start(url, args)
  child.stdin.end(stdin)
  return ended
}

function open(url: string) {
  const store = url.startsWith('sqlite:') ? sqliteStore(url.slice('sqlite:'.length)) : postgresStore(url)
  return createAuth({ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, store })
}

for (const [kind, databaseOf] of Object.entries(DATABASES)) {
  describe(`cli: users import, on ${kind}`, () => {
    it('goes on where it was when the process is killed and started again', async () => {
      const url = await databaseOf('killed')
      let given = 0
      async function* endless() {
        for (;;) {
          yield row(given)
          given += 1
        }
      }
      const { child, output, ended } = start(url, ['-', '--format', 'jsonl'])
      child.stdin.on('error', () => {})
      Readable.from(endless()).pipe(child.stdin)
      child.stderr.on('data', () => {
        if (/[1-9]\d* created/.test(output.stderr)) child.kill('SIGKILL')
      })
      assert.equal((await ended).signal, 'SIGKILL')

      const file = fileOf(`${kind}-all.jsonl`, Array.from({ length: given }, (_, i) => row(i)).join(''))
      const { code, stdout } = await run(url, [file])
      const { created, unchanged, refused } = JSON.parse(stdout)
      assert.deepEqual([code, created + unchanged, refused], [0, given, 0])
      assert.ok(unchanged > 0 && unchanged % 500 === 0, `${unchanged}: whole transactions are there`)
      assert.ok(created > 0)
      assert.deepEqual(JSON.parse((await run(url, [file])).stdout), { created: 0, unchanged: given, refused: 0 })

      const auth = await open(url)
      assert.equal((await auth.login({ email: 'u0@example.com', password: 'correct horse' })).user.id, 'u0')
      const { data } = await auth.audit.list({ type: 'users.imported' })
      assert.deepEqual(
        data.map((event) => event.data),
        [
          { created: 0, unchanged: given, refused: 0 },
          { created, unchanged, refused: 0 },
        ],
        'a killed run has no event',
      )
      await auth.close()
    })

    it('reports refused rows with line and reason, and ends with exit code 1', async () => {
      const url = await databaseOf('refused')
      const csv = `email,password_hash,roles\r\na@example.com,${BCRYPT},a b\r\nb@example.com,plain,\r\n"c@example.com,${BCRYPT},\r\n`
      const file = fileOf(`${kind}.csv`, csv)
      const report = pathOf(`${kind}-report.jsonl`)
      const checked = await run(url, [file, '--dry-run', '--report', report])
      const counts = { created: 1, unchanged: 0, refused: 2 }
      assert.deepEqual([checked.code, JSON.parse(checked.stdout)], [1, { ...counts, dry_run: true }])
      const done = await run(url, [file, '--verified', '--report', report])
      assert.deepEqual([done.code, JSON.parse(done.stdout), done.stderr], [1, counts, ''])
      const lines = readFileSync(report, 'utf8').trimEnd().split('\n')
      assert.deepEqual(
        lines.map((line) => JSON.parse(line)).map(({ line, code }) => [line, code]),
        [
          [3, 'password_hash_invalid'],
          [4, 'validation_failed'],
        ],
      )
      assert.ok(!lines.join().includes('plain') && !lines.join().includes('$2b$'))
      assert.equal(statSync(report).mode & 0o777, 0o600)
      const auth = await open(url)
      const [user, ...others] = await auth.users.list()
      assert.deepEqual([user?.email, user?.roles, user?.emailVerified], ['a@example.com', ['a', 'b'], true])
      assert.deepEqual(others, [])
      await auth.close()
    })
  })
}

describe('cli: users import', () => {
  it('without a report shows the first 20 refused rows on standard error', async () => {
    const url = (await DATABASES.sqlite?.('shown')) as string
    const { code, stdout, stderr } = await run(url, ['-', '--format', 'jsonl'], `${row(1)}${'{}\n'.repeat(30)}`)
    assert.deepEqual([code, JSON.parse(stdout)], [1, { created: 1, unchanged: 0, refused: 30 }])
    const lines = stderr.split('\n').filter((line) => line.includes(': line '))
    assert.equal(lines.length, 20)
    assert.equal(lines[0], 'sealwax: line 2: The row has no e-mail address (validation_failed)')
    assert.match(stderr, /--report writes them all/)
  })

  it('refuses what it cannot read in one sentence, and stores nothing', async () => {
    const url = (await DATABASES.sqlite?.('unreadable')) as string
    const headless = fileOf('headless.csv', `a@example.com,${BCRYPT}\n`)
    const users = fileOf('users.jsonl', row(1))
    const cases: [string[], RegExp][] = [
      [[pathOf('absent.csv')], /"[^"]+absent\.csv" cannot be opened \(ENOENT\)/],
      [[directory.path, '--format', 'csv'], /cannot be opened \(EISDIR\)/],
      [['-'], /give --format: jsonl \(one JSON object per line\) or csv/],
      [[users, '--format', 'constructor'], /There is no such format/],
      [[headless], /must name its columns/],
      [[users, '--report', users], /would overwrite/],
      [[users, '--report', join(directory.path, 'no', 'report')], /cannot be opened \(ENOENT\)/],
    ]
    for (const [args, sentence] of cases) {
      const { code, stdout, stderr } = await run(url, args)
      assert.deepEqual([code, stdout], [1, ''], args.join(' '))
      assert.match(stderr, sentence)
      assert.ok(!stderr.includes('    at ') && !stderr.includes(BCRYPT), stderr)
    }
    const auth = await open(url)
    assert.deepEqual(await auth.users.list(), [])
    assert.deepEqual((await auth.audit.list({ type: 'users.imported' })).data, [])
    await auth.close()
    assert.equal(readFileSync(users, 'utf8'), row(1))
  })
})
