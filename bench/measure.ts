/**
 * Something that is measured against others. The same call is repeated; `index` is the number of
 * the call.
 */
export interface Contestant {
  readonly name: string
  run?(index: number): unknown
  /** For libraries that are only asynchronous: each call is awaited before the next. */
  runAsync?(index: number): Promise<unknown>
  /** Called before each round, outside the measured time. */
  prepare?(): void
}

/** Nanoseconds per call: the minimum over all rounds, and the time of each round. */
export interface Measured {
  readonly name: string
  readonly least: number
  readonly rounds: readonly number[]
}

export interface Effort {
  readonly rounds: number
  /** Approximate duration of one contestant in one round, in milliseconds. */
  readonly slice: number
}

export const FULL: Effort = { rounds: 20, slice: 5 }
export const QUICK: Effort = { rounds: 6, slice: 2 }

/** Slices that each contestant runs before it is measured. */
const WARMING = 10

/** Keeps results alive, so that no call can be optimised away. */
let sink: unknown

/** The result of the last measured call. */
export function lastResult(): unknown {
  return sink
}

/**
 * Runs contestants in turns, so that other load on the machine affects all of them. Slow calls are
 * timed one by one, and the minimum for each index is averaged: a round of many slow calls would
 * almost never run undisturbed.
 * @param indexes number of different inputs
 */
export async function compare(
  contestants: readonly Contestant[],
  indexes: number,
  effort: Effort,
): Promise<Measured[]> {
  const [first] = contestants
  if (first === undefined) return []
  first.prepare?.()
  // Without the warm-up a call of a microsecond would look slow and be timed by itself, and most of
  // the measured time would be that of the clock.
  await warm(first, WARMING * effort.slice)
  const slow = await timeOf(first, 0, 8)
  return slow > SLOW ? compareCalls(contestants, Math.min(indexes, 8), effort) : compareRounds(contestants, effort)
}

/** In nanoseconds. Calls that take longer are timed one by one. */
export const SLOW = 60_000

/**
 * Factor for the number of rounds of slow calls: each round has only one call per input, and peers
 * differ by less than 1 %.
 */
const SLOW_FACTOR = 5

async function compareRounds(contestants: readonly Contestant[], { rounds, slice }: Effort): Promise<Measured[]> {
  const calls: number[] = []
  const times = contestants.map((): number[] => [])
  for (const contestant of contestants) {
    contestant.prepare?.()
    await warm(contestant, WARMING * slice)
    contestant.prepare?.()
    calls.push(Math.max(16, Math.min(4000, Math.round((slice * 1e6) / (await timeOf(contestant, 0, 200))))))
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      contestant.prepare?.()
      times[i]?.push(await timeOf(contestant, round, calls[i] as number))
    }
  }
  return contestants.map(({ name }, i) => ({ name, least: Math.min(...(times[i] ?? [])), rounds: times[i] ?? [] }))
}

/**
 * Runs a contestant untimed, so that its code is compiled before it is measured, as in a server.
 */
async function warm(contestant: Contestant, milliseconds: number): Promise<void> {
  const start = performance.now()
  do await timeOf(contestant, 0, 50)
  while (performance.now() - start < milliseconds)
}

async function compareCalls(
  contestants: readonly Contestant[],
  indexes: number,
  { rounds }: Effort,
): Promise<Measured[]> {
  const least = contestants.map(() => new Array<number>(indexes).fill(Number.POSITIVE_INFINITY))
  const times = contestants.map((): number[] => [])
  for (let round = 0; round < rounds * SLOW_FACTOR; round++) {
    for (const [i, contestant] of contestants.entries()) {
      contestant.prepare?.()
      // Untimed: the previous contestant has filled the processor caches with its own data.
      await timeOf(contestant, 0, round === 0 ? 20 : 2)
      const own = least[i] as number[]
      let sum = 0
      for (let index = 0; index < indexes; index++) {
        const time = await timeOf(contestant, index, 1)
        own[index] = Math.min(own[index] as number, time)
        sum += time
      }
      times[i]?.push(sum / indexes)
    }
  }
  return contestants.map(({ name }, i) => ({ name, least: mean(least[i] as number[]), rounds: times[i] ?? [] }))
}

/** Nanoseconds per call. */
async function timeOf({ run, runAsync }: Contestant, from: number, calls: number): Promise<number> {
  if (run !== undefined) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < calls; i++) sink = run(from + i)
    return Number(process.hrtime.bigint() - start) / calls
  }
  if (runAsync === undefined) throw new TypeError('a contestant has neither run nor runAsync')
  const start = process.hrtime.bigint()
  for (let i = 0; i < calls; i++) sink = await runAsync(from + i)
  return Number(process.hrtime.bigint() - start) / calls
}

/** The minimum time of a contestant, in microseconds. */
export function microseconds(measured: readonly Measured[], name: string): number {
  const found = measured.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no measurement named ${name}`)
  return found.least / 1000
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** @param share 0.5 is the median; 0.99 is the value that one in a hundred exceeds */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
