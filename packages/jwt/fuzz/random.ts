/**
 * A source of random numbers that are the same for the same seed and case, so that every case can
 * be repeated by itself.
 */
export interface Random {
  /** A whole number from 0 up to, but not including, `bound`. */
  below(bound: number): number
  pick<T>(list: readonly T[]): T
  /** True in `percent` % of all calls. */
  chance(percent: number): boolean
}

/**
 * Mulberry32, started with a mix of seed and case. It is good enough for making choices, and for
 * nothing else.
 */
export function createRandom(seed: number, index: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 0x632be5ab, 0xc2b2ae35)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  next()
  const below = (bound: number) => Math.floor((next() / 4294967296) * bound)
  return {
    below,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    chance: (percent) => below(100) < percent,
  }
}
