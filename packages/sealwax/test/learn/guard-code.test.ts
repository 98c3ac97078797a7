import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { guardedPrograms } from '../../../web/src/learn/guard-code.ts'
import { ADA, AUDIENCE, GRACE } from '../../src/learn/demo.ts'
import { type LessonServer, startLesson } from '../../src/learn/server.ts'

const ROOT = join(import.meta.dirname, '../../../..')

describe('lesson, guard: the programs shown', () => {
  let lesson: LessonServer
  let issuer: string
  before(async () => {
    lesson = await startLesson(0)
    issuer = new URL(lesson.url).origin
  })
  after(() => lesson.close())

  const tokenOf = async ({ email, password }: { email: string; password: string }) => {
    const headers = { 'Content-Type': 'application/json' }
    const reply = await fetch(`${issuer}/login`, { method: 'POST', headers, body: JSON.stringify({ email, password }) })
    return ((await reply.json()) as { access_token: string }).access_token
  }

  assert.deepEqual(
    guardedPrograms.map(({ framework }) => framework),
    ['Express', 'Fastify', 'Hono'],
  )
  for (const { framework, code } of guardedPrograms) {
    test(`${framework}: 401 without a token, 403 for a student, 200 for a teacher`, async () => {
      const port = await freePort()
      const program = [
        ['https://auth.example.com', issuer],
        ['https://api.example.com', AUDIENCE],
        ['3000', String(port)],
      ].reduce((text, [from = '', to = '']) => {
        assert.equal(text.split(from).length, 2, `${from} must be there once`)
        return text.replace(from, to)
      }, code)
      const args = ['--conditions=@sealwax/source', '--input-type=module', '--eval', program]
      const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
      let errors = ''
      child.stderr.on('data', (chunk) => (errors += chunk))
      try {
        const ask = async (headers: Record<string, string> = {}) => {
          const reply = await fetch(`http://127.0.0.1:${port}/grades`, { headers })
          return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
        }
        for (let tries = 0; tries < 600 && child.exitCode === null; tries += 1) {
          if (await ask().catch(() => false)) break
          await sleep(100)
        }
        assert.equal(child.exitCode, null, errors)
        const nobody = await ask()
        assert.deepEqual([nobody.status, nobody.body.code], [401, 'token_missing'])
        const ada = await ask({ Authorization: `Bearer ${await tokenOf(ADA)}` })
        assert.deepEqual([ada.status, ada.body.code], [403, 'insufficient_role'])
        const grace = await ask({ Authorization: `Bearer ${await tokenOf(GRACE)}` })
        assert.deepEqual([grace.status, grace.body], [200, { teacher: 'grace', grades: { ada: 'A' } }])
      } finally {
        if (child.exitCode === null) {
          child.kill()
          await once(child, 'exit')
        }
      }
    })
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
