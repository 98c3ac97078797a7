import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bundles and minifies an entry as an application would. */
async function bundle(entry: string) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(import.meta.dirname, '../src', entry)],
    ...{ bundle: true, minify: true, write: false, metafile: true },
    ...{ format: 'esm', target: 'es2022', external: ['react'] },
  })
  const content = outputFiles[0]?.contents as Uint8Array
  return { octets: gzipSync(content, { level: 9 }).length, inputs: Object.keys(metafile.inputs) }
}

test('size: the client has at most 4,096 octets, compressed', async () => {
  const { octets, inputs } = await bundle('index.ts')
  assert.ok(inputs.length > 5)
  assert.ok(octets <= 4096, `${octets} octets`)
})

test('size: the hooks add at most 1,024 octets, compressed, and do not contain the client', async () => {
  const { octets, inputs } = await bundle('react.ts')
  assert.deepEqual(
    inputs.filter((path) => path.endsWith('/client.ts')),
    [],
  )
  assert.ok(octets <= 1024, `${octets} octets`)
})

test('size: proofs add at most 2,048 octets, compressed, and do not contain the client', async () => {
  const { octets, inputs } = await bundle('dpop.ts')
  assert.deepEqual(
    inputs.filter((path) => path.endsWith('/client.ts')),
    [],
  )
  assert.ok(octets <= 2048, `${octets} octets`)
})
