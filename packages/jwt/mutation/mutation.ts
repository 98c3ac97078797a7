// npm run mutation: removes every check, one at a time, and shows the test that fails without it.
// npm run mutation -- TEXT …: only the edits whose file or text contains one of the TEXTs.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Edit } from './edits.ts'
import { listedEdits, occurrences, throwEdits } from './edits.ts'

const packageFolder = resolve(import.meta.dirname, '..')
/** Those that find most. */
const firstStages = [
  ['security-table', 'verify', 'compact'],
  ['keys', 'key-sets', 'remote-jwks', 'inspect'],
]
/** Those that test no single check, or need what is not in the copy. */
const leftOut = ['fuzz', 'mutation', 'round-trip', 'types', 'wycheproof']
const others = readdirSync(join(packageFolder, 'test'))
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => file.replace('.test.ts', ''))
  .filter((name) => ![...firstStages.flat(), ...leftOut].includes(name))
/** The test files, in stages. A stage runs only if the previous one found nothing. */
const stages = [...firstStages, others]
/** This test measures times, which mean nothing while the machine is busy. */
const skipped = '8 KiB of garbage'
const limit = 120_000

interface Outcome {
  edit: Edit
  /** The first test that failed, or `undefined` if the mutant survived. */
  killer: string | undefined
}

/** A copy of the package in which one file at a time is changed. */
function makeCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealwax-mutation-'))
  for (const part of ['src', 'test', 'package.json'])
    cpSync(join(packageFolder, part), join(folder, part), { recursive: true })
  symlinkSync(resolve(packageFolder, '../../node_modules'), join(folder, 'node_modules'))
  return folder
}

/**
 * Returns the first failing test of a stage. Throws if the tests did not run at all, which would
 * prove nothing.
 */
async function firstFailure(folder: string, stage: readonly string[]): Promise<string | undefined> {
  const files = stage.map((name) => join(folder, 'test', `${name}.test.ts`))
  const flags = [
    '--conditions=@sealwax/source',
    '--test',
    '--test-isolation=none',
    '--test-reporter=tap',
    `--test-skip-pattern=${skipped}`,
  ]
  const child = spawn(process.execPath, [...flags, ...files], {
    cwd: folder,
    timeout: limit,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const status = await new Promise((done) => child.once('close', done))
  if (status === 0) return undefined
  if (status === null) return 'the tests did not finish in time'
  const failed = /^\s*not ok \d+ - (.*)$/m.exec(output)?.[1]
  if (failed === undefined || !/^\s*ok \d+/m.test(output))
    throw new Error(`the tests did not run:\n${output.slice(-2000)}`)
  return failed.replaceAll('\\#', '#')
}

async function tryEdit(folder: string, edit: Edit): Promise<Outcome> {
  const path = join(folder, 'src', edit.file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    source.replace(edit.text, () => edit.replacement),
  )
  try {
    for (const stage of stages) {
      const killer = await firstFailure(folder, stage)
      if (killer !== undefined) return { edit, killer }
    }
    return { edit, killer: undefined }
  } finally {
    writeFileSync(path, source)
  }
}

function show({ edit, killer }: Outcome): void {
  const what = edit.text.trim().replace(/\s+/g, ' ').slice(-90)
  console.log(
    `${killer === undefined ? 'SURVIVED' : 'killed  '}  ${edit.file.padEnd(18)} ${what}\n${' '.repeat(29)}${killer === undefined ? `→ ${edit.replacement.trim()}` : `by: ${killer}`}`,
  )
}

async function run(edits: Edit[]): Promise<Outcome[]> {
  const waiting = [...edits]
  const outcomes: Outcome[] = []
  const work = async () => {
    const folder = makeCopy()
    try {
      for (const stage of stages) {
        const failed = await firstFailure(folder, stage)
        if (failed !== undefined) throw new Error(`fails without any change: ${failed}`)
      }
      for (let edit = waiting.shift(); edit !== undefined; edit = waiting.shift()) {
        const outcome = await tryEdit(folder, edit)
        outcomes.push(outcome)
        show(outcome)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return outcomes
}

const wanted = process.argv.slice(2)
const isWanted = ({ file, text }: Edit) =>
  wanted.length === 0 || wanted.some((part) => file.includes(part) || text.includes(part))
const all = [...throwEdits(), ...listedEdits]
const stale = all.filter((edit) => occurrences(edit) !== 1)
if (stale.length > 0)
  throw new Error(`these texts do not occur exactly once: ${stale.map(({ file, text }) => `\n${file}: ${text}`)}`)
const outcomes = await run(all.filter(isWanted))
const survivors = outcomes.filter(({ killer }) => killer === undefined)
console.log(
  `\n${outcomes.length} checks removed, ${outcomes.length - survivors.length} detected, ${survivors.length} not`,
)
survivors.forEach(show)
if (survivors.length > 0) process.exitCode = 1
