import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type OutputFile } from 'esbuild'
import { median } from './measure.ts'
import { bounded, formatted, type Part, type Row, unmeasured } from './report.ts'

const ROOT = join(import.meta.dirname, '..')
const BOTH = ['@sealwax/jwt', '@sealwax/guard'] as const
const PEERS = ['jose', 'jsonwebtoken', 'fast-jwt', 'express-jwt', '@fastify/jwt'] as const

/**
 * The bundle size of the two libraries, and their import time as published: built, and without the
 * source condition.
 */
export async function weightRows(quick: boolean): Promise<Part> {
  const directory = mkdtempSync(join(import.meta.dirname, '.data-'))
  try {
    const size = await minifiedSize(directory)
    const bundle = file(directory, 'bundle.mjs', size.text)
    const sizeRow = bounded('@sealwax/jwt + @sealwax/guard minified', size.minified / 1024, 'KiB', '<', 30, size.beside)
    const failure = buildAll()
    if (failure !== undefined) {
      return { rows: [sizeRow, unmeasured('import time of both', 'ms', '< 15', failure)], notes: [] }
    }
    return { rows: [...importRows(directory, bundle, quick ? 7 : 15), sizeRow], notes: [] }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Builds the packages. Returns the reason if that fails. */
function buildAll(): string | undefined {
  try {
    execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'pipe' })
  } catch (error) {
    const output = String((error as { stdout?: unknown }).stdout ?? error)
    return `npm run build failed: ${output.split('\n', 1)[0]}`
  }
  const missing = ['jwt', 'guard'].find((name) => !existsSync(join(ROOT, 'packages', name, 'dist/index.js')))
  return missing === undefined ? undefined : `packages/${missing}/dist is absent`
}

function importRows(directory: string, bundle: string, rounds: number): Row[] {
  const clock = 'const start = performance.now();'
  const imports = BOTH.map((name) => `await import(${JSON.stringify(name)});`).join(' ')
  const bare = file(directory, 'bare.mjs', `${clock} console.log(performance.now() - start)`)
  const both = file(directory, 'both.mjs', `${clock} ${imports} console.log(performance.now() - start)`)
  const one = file(
    directory,
    'one.mjs',
    `${clock} await import(${JSON.stringify(bundle)}); console.log(performance.now() - start)`,
  )
  const times = { bare: [] as number[], both: [] as number[], inside: [] as number[], one: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    times.bare.push(timed(bare).outside)
    const { outside, inside } = timed(both)
    times.both.push(outside)
    times.inside.push(inside)
    times.one.push(timed(one).outside)
  }
  const difference = median(times.both) - median(times.bare)
  const bundled = median(times.one) - median(times.bare)
  const beside = `as one bundled file ${formatted(bundled)} ms; node without imports ${formatted(median(times.bare))} ms; measured inside the process ${formatted(median(times.inside))} ms`
  return [bounded('import time of both', difference, 'ms', '<', 15, beside)]
}

function file(directory: string, name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

function timed(path: string): { outside: number; inside: number } {
  const start = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
  const outside = performance.now() - start
  if (status !== 0) throw new Error(`the import failed: ${stderr}`)
  return { outside, inside: Number(stdout) }
}

async function minifiedSize(directory: string): Promise<{ minified: number; text: string; beside: string }> {
  const { contents, text } = await bundled(BOTH, directory)
  const peers: string[] = []
  for (const name of PEERS) {
    const peer = await bundled([name], directory)
    peers.push(`${name} ${formatted(peer.contents.length / 1024)}`)
  }
  const gzipped = formatted(gzipSync(contents, { level: 9 }).length / 1024)
  return { minified: contents.length, text, beside: `gzipped ${gzipped} KiB; ${peers.join(', ')}` }
}

/** Bundles all exports of the packages, with their dependencies, into one minified file. */
async function bundled(names: readonly string[], directory: string): Promise<OutputFile> {
  const contents = names.map((name) => `export * from ${JSON.stringify(name)}`).join('\n')
  const { outputFiles } = await build({
    ...{ stdin: { contents, resolveDir: directory }, conditions: ['@sealwax/source'], bundle: true, minify: true },
    ...{ platform: 'node', format: 'esm', target: 'node22', write: false },
  })
  const [bundle] = outputFiles
  if (bundle === undefined) throw new Error('esbuild produced no output')
  return bundle
}
