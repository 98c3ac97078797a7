// npm run fuzz -- [--cases 100000] [--seed N] [--workers N]: verifies every case with all four
// libraries.
// npm run fuzz -- --seed N --case K: repeats one case and prints every verdict.
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { fastJwt, jose, jsonWebToken, ours } from './judges.ts'
import type { FuzzRange, FuzzReport } from './run.ts'
import { caseOf, mergeReports, runCases, timeLimit } from './run.ts'

const table = (rows: Record<string, number>): string =>
  Object.entries(rows)
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `  ${name.padEnd(24)} ${times}`)
    .join('\n')

function inWorker(range: FuzzRange): Promise<FuzzReport> {
  return new Promise((resolve, reject) => {
    new Worker(new URL(import.meta.url), { workerData: range }).once('message', resolve).once('error', reject)
  })
}

async function replay(seed: number, index: number): Promise<void> {
  const { token, strict } = caseOf(seed, index)
  console.log(`seed ${seed}, case ${index}, ${strict ? 'all options' : 'keys and times only'}\n${token}`)
  for (const [name, judge] of Object.entries({
    sealwax: ours,
    jose,
    jsonwebtoken: jsonWebToken,
    'fast-jwt': fastJwt,
  })) {
    console.log(name, await judge(token, strict))
  }
}

async function fuzz(seed: number, cases: number, workers: number): Promise<void> {
  const started = performance.now()
  console.log(`seed ${seed}, ${cases} cases, ${workers} workers`)
  const size = Math.ceil(cases / workers)
  const ranges = Array.from({ length: workers }, (_, i) => ({
    seed,
    from: i * size,
    to: Math.min(cases, (i + 1) * size),
  }))
  const report = mergeReports(await Promise.all(ranges.map(inWorker)))
  const seconds = (performance.now() - started) / 1000
  console.log(`${report.cases} cases in ${seconds.toFixed(0)} s`)
  console.log(`accepted\n${table(report.accepted)}`)
  console.log(`refused by sealwax\n${table(report.refused)}`)
  console.log(`accepted by jose, refused by sealwax\n${table(report.stricter)}`)
  console.log(
    `slowest verification of at most 8 KiB: ${report.slowest.milliseconds.toFixed(2)} ms (limit ${timeLimit})`,
  )
  console.log(`violations: ${report.violations.length}`)
  for (const { case: index, what, token } of report.violations.slice(0, 20)) {
    console.log(`  --seed ${seed} --case ${index}: ${what}\n    ${token.slice(0, 1000)}`)
  }
  if (report.violations.length > 0 || report.cases !== cases) process.exitCode = 1
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!Number.isInteger(value) || value < 0) throw new Error(`${text} is not a whole number`)
  return value
}

if (isMainThread) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { cases: text, seed: text, case: text, workers: text } })
  const seed = wholeNumber(values.seed, randomInt(2 ** 31))
  if (values.case !== undefined) await replay(seed, wholeNumber(values.case, 0))
  else
    await fuzz(
      seed,
      wholeNumber(values.cases, 100_000),
      Math.max(1, wholeNumber(values.workers, availableParallelism())),
    )
} else {
  parentPort?.postMessage(await runCases(workerData as FuzzRange))
}
