import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { openMailbox } from '../mailbox.ts'
import { MINUTE, tempDir } from '../server.ts'
import { startNotes, until } from './sending.ts'

const ANN = 'ann@example.com'

/** Runs a server on a database file in a process of its own until it is killed. */
async function untilKilled(file: string, ...how: string[]): Promise<unknown> {
  const program = join(import.meta.dirname, 'crashing.ts')
  const flags = ['--conditions=@sealwax/source', program]
  const child = spawn(process.execPath, [...flags, file, ...how], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [, signal] = await once(child, 'close')
  return signal
}

test('mail: a process killed between commit and sending loses no mail, and the next one sends it once', async () => {
  using dir = tempDir()
  const file = join(dir.path, 'auth.db')
  assert.equal(await untilKilled(file, 'before sending'), 'SIGKILL')
  await using mailbox = await openMailbox()
  await using server = await startNotes(sqliteStore(file), { smtpUrl: mailbox.url })
  // The killed process had begun to send the second mail, so that one is left to it for a while.
  const first = await mailbox.next('first@example.com')
  assert.deepEqual([first.to, mailbox.all.length], ['first@example.com', 1])
  server.clock.advance(MINUTE)
  await mailbox.next(ANN)
  await until(async () => (await server.waiting()) === 0)
  assert.equal(mailbox.all.length, 2)
})

test('mail: a closing server finishes the mail that it is sending', async () => {
  using dir = tempDir()
  await using mailbox = await openMailbox()
  const server = await startNotes(sqliteStore(join(dir.path, 'auth.db')), { smtpUrl: mailbox.url })
  mailbox.behaviour.stall = true
  await server.send({})
  await until(() => mailbox.attempts() === 1)
  const closed = server.auth.close()
  setTimeout(() => mailbox.release(), 300)
  await closed
  assert.equal(mailbox.all.length, 1)
  await using again = await startNotes(sqliteStore(join(dir.path, 'auth.db')), { smtpUrl: mailbox.url })
  assert.equal(await again.waiting(), 0)
})

test('mail: a mail server that never replies delays the end of a server by a second or two', async () => {
  using dir = tempDir()
  await using mailbox = await openMailbox()
  const server = await startNotes(sqliteStore(join(dir.path, 'auth.db')), { smtpUrl: mailbox.url })
  mailbox.behaviour.stall = true
  await server.send({})
  await until(() => mailbox.attempts() === 1)
  const began = performance.now()
  await server.auth.close()
  const took = performance.now() - began
  assert.ok(took > 1000 && took < 4500, `${took} ms`)
})

test('mail: an idle server does not keep its process alive', async () => {
  using dir = tempDir()
  assert.equal(await untilKilled(join(dir.path, 'auth.db'), 'idle'), null)
})
