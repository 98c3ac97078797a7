import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { letEventLoopGoFirst } from '../../src/cli/thread-priority.ts'
import { tempDir } from '../server.ts'

const skip = process.platform !== 'linux' && 'only Linux has priorities per thread'

/** Creates a directory like /proc (proc(5)), where `self` is process `pid` with one thread. */
function procOf(path: string, pid: number, thread: string): string {
  mkdirSync(join(path, `${pid}/task/${pid}`), { recursive: true })
  writeFileSync(join(path, `${pid}/comm`), 'node\n')
  writeFileSync(join(path, `${pid}/task/${pid}/comm`), thread)
  symlinkSync(String(pid), join(path, 'self'))
  return path
}

test('cli: without a thread of the expected name, setting the priority fails with an error', { skip }, async () => {
  using dir = tempDir()
  await assert.rejects(letEventLoopGoFirst(procOf(dir.path, process.pid, 'node\n')), /No thread .* libuv-worker/)
})

test('cli: thread ids of another PID namespace are not used', { skip }, async () => {
  using dir = tempDir()
  const proc = procOf(dir.path, process.pid + 1, 'libuv-worker\n')
  await assert.rejects(letEventLoopGoFirst(proc), /does not show this process/)
})
