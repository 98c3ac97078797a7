import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** One row of the results: a measured value, and its target if it has one. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** For example `≤ 4`. Absent if the value has no target. */
  readonly target?: string
  /** With a target: whether it was reached. */
  readonly met?: boolean
  /** Additional figures: peers, the A/A ratio, conditions. */
  readonly beside?: string
}

/**
 * The results of one part. `notes` are printed with them: the conditions, and what could not be
 * measured.
 */
export interface Part {
  readonly rows: readonly Row[]
  readonly notes: readonly string[]
}

interface StoredPart extends Part {
  readonly date: string
  readonly quick: boolean
  readonly load: number
  readonly commit: string
}

export interface Results {
  machine: string
  parts: Record<string, StoredPart>
}

const RESULTS = join(import.meta.dirname, 'results.json')
const README = join(import.meta.dirname, 'README.md')

/** A row with a target that is an upper or a lower bound. */
export function bounded(
  name: string,
  value: number,
  unit: string,
  bound: '≤' | '≥' | '<' | '>',
  limit: number,
  beside?: string,
): Row {
  const met =
    bound === '≤' ? value <= limit : bound === '<' ? value < limit : bound === '≥' ? value >= limit : value > limit
  return { name, value, unit, target: `${bound} ${limit}`, met, ...(beside !== undefined && { beside }) }
}

/** A row without a target. */
export function known(name: string, value: number, unit: string, beside?: string): Row {
  return { name, value, unit, ...(beside !== undefined && { beside }) }
}

/** A row whose value could not be measured, for the given reason. Its target counts as missed. */
export function unmeasured(name: string, unit: string, target: string, reason: string): Row {
  return { name, value: Number.NaN, unit, target, met: false, beside: `not measured: ${reason}` }
}

/** Processor model, cores, memory, and the versions of kernel, Node and OpenSSL. */
export function machineLine(): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${model}, ${availableParallelism()} cores, ${memory} GiB, Linux ${release()}, Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`
}

export function readResults(): Results {
  if (!existsSync(RESULTS)) return { machine: machineLine(), parts: {} }
  const results = JSON.parse(readFileSync(RESULTS, 'utf8')) as Results
  // Results of another machine cannot be compared with those of this one.
  return results.machine === machineLine() ? results : { machine: machineLine(), parts: {} }
}

/** Stores the results of a part, next to those of the other parts. */
export function store(results: Results, name: string, part: Part, quick: boolean): void {
  const [load = 0] = loadavg()
  results.parts[name] = { date: new Date().toISOString(), quick, load: round(load), commit: commit(), ...part }
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    }).trim()
  } catch {
    return 'unknown'
  }
}

/** Prints the results of one part to the terminal. */
export function print(name: string, { rows, notes }: Part): void {
  console.log(`\n${name}`)
  const lines = rows.map(cells)
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...lines.map((line) => (line[column] ?? '').length)))
  for (const line of lines) {
    const [label = '', value = '', target = '', verdict = '', beside = ''] = line
    const [a = 0, b = 0, c = 0, d = 0] = widths
    console.log(
      `  ${label.padEnd(a)}  ${value.padStart(b)}  ${target.padEnd(c)}  ${verdict.padEnd(d)}  ${beside}`.trimEnd(),
    )
  }
  for (const note of notes) console.log(`  * ${note}`)
}

function cells({ name, value, unit, target = '', met, beside = '' }: Row): string[] {
  const shown = Number.isFinite(value) ? `${formatted(value)} ${unit}`.trim() : '–'
  return [name, shown, target, met === undefined ? '' : met ? 'yes' : 'NO', beside]
}

/** Formats a number with about three significant digits and no exponent. */
export function formatted(value: number): string {
  const size = Math.abs(value)
  return size >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(size >= 10 ? 1 : 2)
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** The number of targets reached, and one line for each that was missed. */
export function summary({ parts }: Results): string[] {
  const rows = Object.entries(parts).flatMap(([part, { rows }]) => rows.map((row) => ({ part, row })))
  const targets = rows.filter(({ row }) => row.target !== undefined)
  const missed = targets.filter(({ row }) => row.met !== true)
  return [
    `${targets.length - missed.length} of ${targets.length} targets reached`,
    ...missed.map(({ part, row }) => `missed: ${part}: ${row.name} (${cells(row)[1]}, target ${row.target})`),
  ]
}

const BEGIN = '<!-- results: written by npm run bench -- --write-readme -->'
const END = '<!-- end of results -->'

/** Writes the results as tables between the markers in README.md. */
export function writeReadme(results: Results): void {
  const text = readFileSync(README, 'utf8')
  const [before, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error('README.md does not contain the markers of the results')
  writeFileSync(README, `${before}${BEGIN}\n\n${markdown(results)}\n\n${END}${after}`)
}

function markdown(results: Results): string {
  const parts = Object.entries(results.parts).map(([name, part]) => {
    const how = `${part.date.slice(0, 10)}, ${part.commit}, load ${part.load}${part.quick ? ', a quick run: provisional' : ''}`
    const lines = part.rows.map(
      (row) =>
        `| ${cells(row)
          .map((cell) => cell.replaceAll('|', '\\|'))
          .join(' | ')} |`,
    )
    const notes = part.notes.map((note) => `- ${note}`)
    const table = ['| | measured | target | met | beside |', '|---|---:|---|---|---|', ...lines]
    return [`### ${name}`, '', how, '', ...table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
  })
  const overview = summary(results).map((line) => `- ${line}`)
  return [`Machine: ${results.machine}.`, '', ...overview, '', parts.join('\n\n')].join('\n')
}
