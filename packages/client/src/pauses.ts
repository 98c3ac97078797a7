/** Returns a random number, so that many clients do not do the same thing at the same time. */
export function between(least: number, most: number): number {
  return least + Math.random() * (most - least)
}

/** Resolves after so many milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
