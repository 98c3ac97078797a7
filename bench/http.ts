import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { type Child, startChild } from './child.ts'
import type { Run } from './main.ts'
import { median, quantile } from './measure.ts'
import { formatted, known, type Part, type Row } from './report.ts'

const FRAMEWORKS = ['node:http', 'Express', 'Fastify', 'Hono'] as const
const CONNECTIONS = 16

/**
 * What a guarded route costs the server: processor time per request, compared with the same route
 * behind a no-op.
 */
export async function httpPart({ quick }: Run): Promise<Part> {
  const rows: Row[] = []
  for (const framework of FRAMEWORKS) {
    const server = await startChild('http-server.ts', { args: [framework], core: 0 })
    try {
      rows.push(...(await frameworkRows(framework, server, quick)))
    } finally {
      await server.stop()
    }
  }
  const notes = [
    'Server processor time (user and system, from getrusage of the server process) per request in steady state. HS256 with one token per route, so our guard finds it in its cache; peers without a cache verify it every time.',
    `autocannon runs on the other core with ${CONNECTIONS} connections. The routes of one process take turns, and every request has the same Authorization header. Ratios: each round ÷ the no-op of the same round, then the median.`,
    'A/A: the no-op against a second no-op in the same rounds, and the range of 95 % of the medians that this number of rounds can have (bootstrap, with each ratio and its inverse). Met: our median is not above that range, and the range does not extend above 1.1.',
  ]
  return { rows, notes }
}

interface About {
  readonly port: number
  readonly paths: Readonly<Record<string, string>>
  readonly token: string
}

async function frameworkRows(framework: string, server: Child, quick: boolean): Promise<Row[]> {
  const about = await server.ask<About>({ do: 'about' })
  const names = Object.keys(about.paths)
  const [rounds, requests] = quick ? [4, 2000] : [12, 6000]
  await checkAnswers(about)
  // Two unrecorded rounds: a route that is compiled later than the others would look expensive.
  for (const name of [...names, ...names]) await costOf(server, about, name, requests)
  const costs: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // No route is always the first of a round.
    const turn = [...names.slice(round % names.length), ...names.slice(0, round % names.length)]
    for (const name of turn) costs[name]?.push(await costOf(server, about, name, requests))
  }
  const ratios = (name: string) => (costs[name] ?? []).map((cost, round) => cost / (costs.noop?.[round] ?? Number.NaN))
  const twins = ratios('noop again')
  const [low, high] = medianInterval([...twins, ...twins.map((ratio) => 1 / ratio)], twins.length)
  const spread = `A/A ${formatted(median(twins))} (${formatted(low)} to ${formatted(high)})`
  const absolute = (name: string) => `${formatted(median(costs[name] ?? []))} µs`
  const guarded = median(ratios('sealwax'))
  const peers = names.filter((name) => !['plain', 'noop', 'noop again', 'sealwax'].includes(name))
  return [
    {
      ...known(`${framework}: guarded ÷ no-op`, guarded, '×'),
      ...{ target: 'in the A/A spread of 1.00', met: guarded <= high && high <= RESTLESS },
      beside: `${spread}${high <= RESTLESS ? '' : ', too wide to tell'}; ${absolute('sealwax')}, no-op ${absolute('noop')}, no middleware ${absolute('plain')}`,
    },
    ...peers.map((name) => known(`${framework}: ${name} ÷ no-op`, median(ratios(name)), '×', absolute(name))),
  ]
}

/** With a wider spread the machine is too noisy to tell, and the target counts as missed. */
const RESTLESS = 1.1

/**
 * The range of 95 % of the medians that this number of rounds can have, found by resampling the
 * values (bootstrap).
 */
function medianInterval(values: readonly number[], rounds: number): [low: number, high: number] {
  // A fixed generator, so that the same rounds always give the same result.
  let state = 1
  const draw = () => {
    state = (state * 48_271) % 2_147_483_647
    return values[state % values.length] as number
  }
  const medians = Array.from({ length: 2000 }, () => median(Array.from({ length: rounds }, draw)))
  return [quantile(medians, 0.025), quantile(medians, 0.975)]
}

/**
 * Checks that every route returns 200, and that guarded routes refuse a request without a token.
 */
async function checkAnswers({ port, paths, token }: About): Promise<void> {
  for (const [name, path] of Object.entries(paths)) {
    const url = `http://127.0.0.1:${port}${path}`
    const { status } = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    const without = await fetch(url)
    const open = name === 'plain' || name.startsWith('noop')
    if (status !== 200 || (without.status === 200) !== open) {
      throw new Error(`${name} returns ${status}, and ${without.status} without a token`)
    }
  }
}

const run = promisify(execFile)
const AUTOCANNON = createRequire(import.meta.url).resolve('autocannon/autocannon.js')

/** Processor time of the server per request, in microseconds. */
async function costOf(server: Child, { port, paths, token }: About, name: string, requests: number): Promise<number> {
  const before = await server.ask<number>({ do: 'time' })
  const { stdout } = await run('taskset', [
    ...['-c', '1', process.execPath, AUTOCANNON, '--json', '--no-progress'],
    ...['-c', String(CONNECTIONS), '-a', String(requests), '-H', `authorization=Bearer ${token}`],
    `http://127.0.0.1:${port}${paths[name]}`,
  ])
  const after = await server.ask<number>({ do: 'time' })
  const { '2xx': good } = JSON.parse(stdout) as { '2xx': number }
  if (good < requests) throw new Error(`${name}: ${good} of ${requests} requests returned 200`)
  return (after - before) / good
}
