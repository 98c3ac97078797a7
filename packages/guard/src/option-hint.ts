/**
 * Returns what to write instead of an option that does not exist: the hint for this name, or the
 * known option that it is probably a misspelling of.
 */
export function hintFor(
  name: string,
  hints: Readonly<Record<string, string>>,
  known: Iterable<string>,
): string | undefined {
  if (Object.hasOwn(hints, name)) return hints[name]
  const similar = similarName(name, known)
  return similar && `write ${similar}`
}

/** The known name from which a wrong one differs by one or two letters, and by less than half. */
function similarName(wrong: string, known: Iterable<string>): string | undefined {
  if (wrong.length > 64) return undefined // it may come from input and be of any length
  let best: string | undefined
  let least = 3
  for (const name of known) {
    const edits = editsBetween(wrong.toLowerCase(), name.toLowerCase())
    if (edits < least && edits < name.length / 2) [best, least] = [name, edits]
  }
  return best
}

/** How many letters must be added, removed or replaced (Levenshtein distance). */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] as number) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row.at(-1) as number
}
