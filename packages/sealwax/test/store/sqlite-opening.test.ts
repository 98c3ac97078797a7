import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { features } from '../../src/features.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { unprivileged } from '../postgres.ts'
import { SECRET, tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const dir = tempDir()
after(() => dir[Symbol.dispose]())

describe('the error for a SQLite file that cannot be opened contains the path and the cause', () => {
  const [text, folder] = [join(dir.path, 'letter.txt'), join(dir.path, 'folder')]
  writeFileSync(text, 'Dear Ann, this is a letter and no database.\n'.repeat(50), { mode: 0o600 })
  mkdirSync(folder)
  const cases: [name: string, path: string, cause: string][] = [
    ['a missing directory', join(dir.path, 'no/such/auth.db'), 'its directory does not exist'],
    ['a directory', folder, 'it is a directory'],
    ['a file as part of the path', join(text, 'auth.db'), 'a part of the path is a file, not a directory'],
    ['a file that is not a database', text, 'the file is not a SQLite database'],
  ]
  for (const [name, path, cause] of cases) {
    it(name, async () => {
      await assert.rejects(sqliteStore(path).open({ features, migrate: 'auto' }), {
        code: 'config_invalid',
        message: `The database ${path} cannot be opened: ${cause}`,
      })
    })
  }

  it('no permission: the command prints only this error', {
    skip: process.getuid?.() !== 0 && 'only root can run a command as another user',
  }, () => {
    const own = join(dir.path, 'own')
    mkdirSync(own)
    const [closed, readOnly] = [join(own, 'closed.db'), join(own, 'read-only.db')]
    execFileSync(process.execPath, [
      '-e',
      `new (require('node:sqlite').DatabaseSync)(${JSON.stringify(readOnly)}).exec('create table t (x)')`,
    ])
    writeFileSync(closed, '', { mode: 0o600 })
    chmodSync(readOnly, 0o400)
    const { uid = 0, gid = 0 } = unprivileged()
    for (const path of [dir.path, own, readOnly]) chownSync(path, uid, gid)
    chmodSync(own, 0o500)
    const env = {
      ...{ PATH: process.env.PATH ?? '', SEALWAX_ISSUER: 'https://auth.example.com', SEALWAX_AUDIENCE: 'api' },
      ...{ SEALWAX_SECRET: SECRET, NODE_DISABLE_COMPILE_CACHE: '1' },
    }
    for (const path of [closed, readOnly, join(own, 'new.db')]) {
      const SEALWAX_DATABASE_URL = `sqlite:${path}`
      const { status, stderr } = spawnSync(process.execPath, [BIN, 'keys', 'list'], {
        env: { ...env, SEALWAX_DATABASE_URL },
        ...{ uid, gid, encoding: 'utf8' },
      })
      assert.equal(status, 1)
      assert.match(stderr, /^sealwax: The database .* cannot be opened: this process cannot .* \(config_invalid\)\n$/)
      assert.ok(stderr.includes(path))
    }
  })
})
