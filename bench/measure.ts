/**
 * Something that is measured beside others: the same call again and again, with the number of the
 * call.
 */
export interface Contestant {
  readonly name: string
  run?(index: number): unknown
  /** Where there is only an asynchronous way: each call is awaited before the next. */
  runAsync?(index: number): Promise<unknown>
  /** Called before each round, outside the measured time. */
  prepare?(): void
}

/** Nanoseconds per call, the least of all rounds, and what each round took. */
export interface Measured {
  readonly name: string
  readonly least: number
  readonly rounds: readonly number[]
}

export interface Effort {
  readonly rounds: number
  /** About how long one contestant runs in one round, in milliseconds. */
  readonly slice: number
}

export const FULL: Effort = { rounds: 20, slice: 5 }
export const QUICK: Effort = { rounds: 6, slice: 2 }

/** Slices that each contestant runs before it is measured. */
const WARMING = 10

/** Keeps results alive, so that no call can be optimised away. */
let sink: unknown

/** The last result of anything measured. */
export function lastResult(): unknown {
  return sink
}

/**
 * Runs contestants in turns, so that what the machine does meanwhile hits them alike. A call that
 * takes long is measured alone, and the least for each index is averaged: a round of many such
 * calls would hardly ever pass undisturbed.
 * @param indexes how many different inputs there are
 */
export async function compare(
  contestants: readonly Contestant[],
  indexes: number,
  effort: Effort,
): Promise<Measured[]> {
  const [first] = contestants
  if (first === undefined) return []
  first.prepare?.()
  // Judged cold, what takes a microsecond would be timed call by call, and the clock be most of it.
  await warm(first, WARMING * effort.slice)
  const slow = await timeOf(first, 0, 8)
  return slow > SLOW ? compareCalls(contestants, Math.min(indexes, 8), effort) : compareRounds(contestants, effort)
}

/** Nanoseconds. */
export const SLOW = 60_000

/**
 * Slow calls get so many times the rounds: each is a single call for each input, and peers differ
 * by less than a hundredth.
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

/** Runs a contestant, untimed. What is not compiled yet says little about a server. */
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
      // Untimed: the one before has left the processor's caches full of its own.
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
  if (runAsync === undefined) throw new TypeError('a contestant has nothing to run')
  const start = process.hrtime.bigint()
  for (let i = 0; i < calls; i++) sink = await runAsync(from + i)
  return Number(process.hrtime.bigint() - start) / calls
}

/** The least time of a contestant, in microseconds. */
export function microseconds(measured: readonly Measured[], name: string): number {
  const found = measured.find((one) => one.name === name)
  if (found === undefined) throw new Error(`nothing was measured under the name ${name}`)
  return found.least / 1000
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** @param share 0.5 is the median, 0.99 what one in a hundred exceeds */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
