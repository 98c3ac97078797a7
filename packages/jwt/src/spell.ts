const units: readonly [name: string, seconds: number][] = [
  ['year', 31_557_600],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/**
 * Spells a duration in the largest unit that it contains at least twice, so that rounding down
 * loses less than a third.
 */
export function spellDuration(seconds: number): string {
  const [name, size] = units.find((unit) => seconds >= 2 * unit[1]) ?? ['second', 1]
  const count = Math.floor(seconds / size)
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
