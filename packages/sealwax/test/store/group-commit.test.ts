import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { NOW, openFile, setName } from '../stores.ts'

const AWAY = { code: 'temporarily_unavailable', status: 503 }

/**
 * Counts the commits in a write-ahead log: a commit frame contains the size of the database
 * (https://sqlite.org/fileformat.html#the_write_ahead_log).
 */
function commitsIn(file: string): number {
  const wal = readFileSync(`${file}-wal`)
  const salt = wal.subarray(16, 24)
  const frame = 24 + wal.readUInt32BE(8)
  let commits = 0
  for (let at = 32; at + frame <= wal.length; at += frame) {
    if (wal.subarray(at + 8, at + 16).equals(salt) && wal.readUInt32BE(at + 4) > 0) commits += 1
  }
  return commits
}

describe('concurrent transactions', () => {
  it('100 concurrent transactions share a few commits', async () => {
    await using opened = await openFile()
    await setName(opened.store, 'before')
    const before = commitsIn(opened.file)
    await Promise.all(Array.from({ length: 100 }, (_, i) => setName(opened.store, `n${i}`)))
    const commits = commitsIn(opened.file) - before
    assert.ok(commits >= 1 && commits <= 3, `${commits} commits`)
    await setName(opened.store, 'after')
    assert.equal(commitsIn(opened.file) - before - commits, 1)
  })

  it('transactions that keep arriving share a commit for at most three turns of the event loop', async () => {
    await using opened = await openFile()
    const before = commitsIn(opened.file)
    const units: Promise<string>[] = []
    for (let turn = 0; turn < 12; turn++) {
      units.push(setName(opened.store, `name ${turn}`), setName(opened.store, `other name ${turn}`))
      await new Promise((passed) => setImmediate(passed))
    }
    await Promise.all(units)
    assert.equal(commitsIn(opened.file) - before, 4)
  })

  it('a single transaction is committed after one turn of the event loop', async () => {
    await using opened = await openFile()
    const before = commitsIn(opened.file)
    const unit = setName(opened.store, 'alone')
    await new Promise((passed) => setImmediate(passed))
    await new Promise((passed) => setImmediate(passed))
    assert.equal(commitsIn(opened.file) - before, 1)
    await unit
  })
})

describe('transactions that fail', () => {
  it('if some of a batch throw, only the others are written, each once, and each failed one gets its own error', async () => {
    await using opened = await openFile()
    const { store } = opened
    const acknowledged: string[] = []
    for (let batch = 0; batch < 60; batch += 1) {
      const units = Array.from({ length: 1 + (batch % 13) }, async (_, i) => {
        const type = `${batch}-${i}`
        const throws = (batch * 7 + i * 5) % 11 === 0
        const rest = { time: NOW, subject: null, session_id: null, ip: null, user_agent: null, data: {} }
        const unit = store.transaction(async (facts) => {
          await facts.audit.append({ type, ...rest })
          if (throws) throw new Error(`of ${type}`)
          return type
        })
        if (throws) return assert.rejects(unit, { message: `of ${type}` })
        acknowledged.push(await unit)
      })
      await Promise.all(units)
    }
    const found: string[] = []
    for (let before = Infinity; ; ) {
      const page = await store.committed.audit.list({ limit: 100, ...(before < Infinity && { before }) })
      if (page.length === 0) break
      found.push(...page.map(({ type }) => type))
      before = page.at(-1)?.id ?? 0
    }
    assert.ok(acknowledged.length > 300)
    assert.deepEqual(found.sort(), acknowledged.sort())
  })

  it('rolled back by SQLite: all in the batch fail with the reason and write nothing, and later ones work', async () => {
    await using opened = await openFile()
    const { store } = opened
    rollBackWhenNamed(opened.file, 'second')
    const unit = store.transaction(async (facts) => {
      await facts.metadata.getOrSet('first', 'x')
      await facts.metadata.getOrSet('second', 'x')
    })
    const others = [setName(store, 'other'), setName(store, 'another')]
    for (const one of [unit, ...others]) await assert.rejects(one, /no room/)
    for (const name of ['first', 'second', 'other', 'another']) {
      assert.equal(await store.committed.metadata.get(name), undefined)
    }
    assert.equal(await setName(store, 'later'), 'x')
  })

  it('rolled back by SQLite, but a transaction catches the error: all in the batch fail and write nothing', async () => {
    await using opened = await openFile()
    const { store } = opened
    rollBackWhenNamed(opened.file, 'second')
    const before = setName(store, 'before')
    const swallowing = store.transaction((facts) => facts.metadata.getOrSet('second', 'x').catch(() => 'swallowed'))
    const behind = setName(store, 'behind')
    for (const one of [before, swallowing, behind]) await assert.rejects(one, AWAY)
    for (const name of ['before', 'behind']) assert.equal(await store.committed.metadata.get(name), undefined)
    assert.equal(await setName(store, 'later'), 'x')
  })
})

/**
 * Adds a trigger that fails like a full disk in the middle of a transaction: SQLite reports an
 * error and has rolled back everything.
 */
function rollBackWhenNamed(file: string, name: string): void {
  const admin = new DatabaseSync(file)
  admin.exec(
    `create trigger full before insert on metadata when new.name = '${name}' begin select raise(rollback, 'no room'); end`,
  )
  admin.close()
}
