import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { blocksOf } from '../../../docs-check/pages.ts'
import { startServer } from '../../../examples/learning-platform/src/server.ts'
import { tempDir } from '../../sealwax/test/server.ts'
import { createClient } from '../src/index.ts'

const source = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')
const page = source('../../../docs/client.md')

test('docs: client.md names every call and every code of the client', () => {
  const calls = Object.keys(createClient({ baseUrl: 'http://127.0.0.1:5000' }))
  const codes = [...source('../src/errors.ts').matchAll(/^ {2}\| '(\w+)'$/gm)].map((match) => match[1] as string)
  assert.ok(calls.length > 15 && codes.length >= 4)
  assert.deepEqual(
    [...calls.filter((name) => !page.includes(`${name}(`)), ...codes.filter((code) => !page.includes(`\`${code}\``))],
    [],
  )
})

test('docs: the programs for Node in client.md print what the page says', { timeout: 60_000 }, async () => {
  using dir = tempDir()
  const server = await startServer({ port: 0, dataDir: dir.path })
  try {
    const blocks = blocksOf('docs/client.md')
    const run = async (file: string) => {
      const { code = '' } = blocks.find((block) => block.file === file) ?? {}
      assert.match(code, /createClient/)
      writeFileSync(join(dir.path, file), fitted(code, server.url))
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: dir.path })
      return stdout
    }
    const shown = (file: string) => {
      const after = blocks.slice(blocks.findIndex((block) => block.file === file))
      return after.find(({ marks }) => marks.includes('output'))?.code ?? ''
    }
    const printed = await run('hello.mjs')
    // The user of the example has an id of its own.
    assert.equal(printed.replace('user-123', 'usr_…').trim(), shown('hello.mjs'))
    assert.equal(`${await run('stored.mjs')}${await run('stored.mjs')}`.trim(), shown('stored.mjs'))
  } finally {
    await server.close()
  }
})

/** For a server on another port, and a client that is not installed. */
function fitted(code: string, url: string): string {
  const client = pathToFileURL(join(import.meta.dirname, '../src/index.ts')).href
  return code.replaceAll('http://127.0.0.1:5641', url).replaceAll("'@sealwax/client'", `'${client}'`)
}
