// npm run test:runtimes: checks the packed packages, installs them in an empty folder, and uses them in
// each runtime and with each TypeScript.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pack } from '../tools/pack.ts'

const run = promisify(execFile)
const here = import.meta.dirname
/** How many KiB each tarball may have. */
const BUDGETS = { jwt: 120, guard: 480, client: 55, sealwax: 1400 }
/** What the scripts in `use` need besides the packages. */
const PEERS = [
  'hono@4.13.19',
  'fastify@5.12.8',
  '@types/express@5.0.6',
  '@types/koa@3.0.3',
  '@types/node@24.19.2',
  'commander@15.1.0',
  'pino@10.4.0',
]

const own = (...path) => join(here, 'node_modules', ...path)
const node = (version) => own(`node${version}/bin/node`)
const bun = own('bun/bin/bun')
const deno = own('deno/deno')

/** How a project compiles: the settings of TypeScript, and the program. */
const MODULES = [
  ['nodenext', 'nodenext', 'use.ts'],
  ['nodenext, CommonJS', 'nodenext', 'use.cts'],
  ['bundler', 'esnext', 'use.ts', '--moduleResolution', 'bundler'],
]
const STRICT = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2024', '--types', 'node']
const LIBRARIES = ['--lib', 'es2024,dom,dom.iterable,esnext.disposable']

/** Jest then runs modules as they are, and finds no package twice. */
const JEST = { transform: {}, testMatch: ['<rootDir>/*.test.mjs'], modulePathIgnorePatterns: ['<rootDir>/copy'] }

/** Each runs in the folder with the packages. */
const RUNS = [
  ...[22, 24, 26].map((version) => [`Node ${version}: tokens, guard, proofs`, node(version), 'tokens.mjs']),
  ['Bun: tokens, guard, proofs', bun, 'tokens.mjs'],
  ['Deno: tokens, guard, proofs', deno, 'run', '-A', 'tokens.mjs'],
  ['Workers (workerd): a guarded route', node(24), join(here, 'workers.mjs'), '.'],
  ...[22, 24, 26].map((version) => [`Node ${version}: auth server and client`, node(version), 'server.mjs']),
  ['Bun: auth server and client', bun, 'server.mjs'],
  ['Deno: auth server and client', deno, 'run', '-A', 'server.mjs'],
  ['sealwax serve, as in the container file', node(24), 'serve.mjs'],
  ['two copies of the packages', node(24), 'copies.mjs'],
  ['worker threads and a cluster', node(24), 'threads.mjs'],
  ['Jest: fake timers', node(24), '--experimental-vm-modules', own('jest/bin/jest.js'), '--rootDir', '.'],
  ['Vitest: fake timers', node(24), own('vitest/vitest.mjs'), 'run', '--globals', '--root', '.'],
  ...[5, 6, 7].flatMap((version) => MODULES.map((module) => compiles(version, module))),
  ...[22, 24, 26].map((version) => [`Node ${version}: require`, node(version), 'required.cjs']),
  ['Next.js, Edge runtime: says that it is not supported', node(24), join(here, 'edge.mjs'), '.'],
]

function compiles(version, [name, module, ...rest]) {
  const tsc = own(`typescript${version}/bin/tsc`)
  return [
    `TypeScript ${version}, ${name}: all entry points`,
    node(24),
    tsc,
    ...STRICT,
    ...LIBRARIES,
    '--module',
    module,
    ...rest,
  ]
}

function lints({ folder, file }) {
  const attw = own('@arethetypeswrong/cli/dist/index.js')
  return [
    [`${folder}: publint`, node(24), own('publint/src/cli.js'), '--strict', file],
    [`${folder}: are the types wrong?`, node(24), attw, '--profile', 'esm-only', file],
  ]
}

const { stdout: system } = await run('uname', ['-sm'])
if (system.trim() !== 'Linux x86_64')
  throw new Error(`the runtimes are installed for Linux x86_64, and this is ${system}`)
const place = mkdtempSync(join(tmpdir(), 'sealwax-runtimes-'))
let count = 0
let failed = 0
try {
  const packed = await prepare()
  for (const [name, program, ...args] of [...RUNS, ...packed.flatMap(lints)]) {
    count += 1
    const started = performance.now()
    const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' }
    const result = await run(program, args, { cwd: place, env, timeout: 120_000 }).catch((error) => error)
    const isOk = !(result instanceof Error)
    failed += isOk ? 0 : 1
    console.log(`${isOk ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
    const output = isOk
      ? result.stdout.split('\n').filter((line) => line.startsWith('    without'))
      : [`${result.message}\n${result.stdout}`]
    for (const line of output) console.log(line)
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
console.log(failed === 0 ? `${count} runs passed` : `${failed} of ${count} runs failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Packs the packages, and installs them twice. Returns what was packed. */
async function prepare() {
  const directory = join(place, 'packed')
  mkdirSync(directory)
  const packed = await pack(directory)
  for (const { folder, file } of packed) {
    const [size, budget] = [statSync(file).size / 1024, BUDGETS[folder]]
    if (size > budget) throw new Error(`${folder} has ${size.toFixed(0)} KiB packed; its budget is ${budget}`)
    console.log(`     ${folder}: ${size.toFixed(0)} KiB packed, at most ${budget}`)
  }
  const tarballs = packed.map(({ file }) => file)
  await install(place, [...tarballs, ...PEERS])
  const copy = join(place, 'copy')
  mkdirSync(copy)
  await install(
    copy,
    tarballs.filter((file) => /sealwax-(jwt|guard)-/.test(file)),
  )
  for (const folder of ['use', 'types']) cpSync(join(here, folder), place, { recursive: true })
  return packed
}

async function install(folder, packages) {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', jest: JEST }))
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], { cwd: folder })
}
