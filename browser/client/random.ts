/** Random choices that a seed repeats. */
export interface Random {
  /** A number from 0 up to, but not including, 1. */
  next(): number
  /** A whole number between two, both included. */
  whole(least: number, most: number): number
  /** Whether something of this probability happens. */
  chance(probability: number): boolean
  /** One of a list. */
  pick<T>(list: readonly T[]): T
}

/** Creates choices by the generator mulberry32. */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  const random: Random = {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    whole: (least, most) => least + Math.floor(random.next() * (most - least + 1)),
    chance: (probability) => random.next() < probability,
    pick: (list) => list[random.whole(0, list.length - 1)] as (typeof list)[number],
  }
  return random
}
