import type { Facts } from '../contract/store.ts'
import type { GroupCommit } from './group-commit.ts'

/**
 * The same facts, read through the connection that writes. Between a write and its commit that connection sees what may yet be undone, so each read has
 * its turn among the units.
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
