import type { Facts } from '../../core/unit-of-work.ts'
import type { GroupCommit } from './group-commit.ts'

/**
 * Reads through the writing connection. It sees uncommitted writes, so each read is queued as a
 * separate transaction.
 */
export function readInTurn(facts: Facts, commits: GroupCommit): Facts {
  const nouns = Object.entries(facts).map(([name, noun]) => {
    const methods = Object.entries(noun as Record<string, (...given: unknown[]) => Promise<unknown>>)
    const inTurn = methods.map(([method, read]) => [
      method,
      (...given: unknown[]) => commits.transaction(() => read(...given)),
    ])
    return [name, Object.fromEntries(inTurn)]
  })
  return Object.fromEntries(nouns) as Facts
}
