// Runs after `tsc -b`: joins the modules of each published package into one file for each entry
// point and files for what they share. Loading forty small files takes several times as long as
// loading their content. Types and source maps stay as tsc wrote them.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

for (const name of ['jwt', 'guard', 'client']) {
  const root = join(import.meta.dirname, '../packages', name)
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.values(exports).map((entry) => entry.default),
    outdir: 'dist',
    outbase: 'dist',
    entryNames: '[dir]/[name]',
    chunkNames: 'shared-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2024',
    packages: 'external',
    allowOverwrite: true,
    metafile: true,
  })
  const written = new Set(Object.keys(result.metafile.outputs))
  for (const input of Object.keys(result.metafile.inputs)) {
    if (!written.has(input)) rmSync(join(root, input))
  }
}
