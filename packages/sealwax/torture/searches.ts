import type { Run } from './run.ts'
import type { Found } from './search/breadth-first.ts'
import { type HonestClient, searchHonest } from './search/honest.ts'
import { formerTableOf, tableOf } from './search/table.ts'
import { searchThief } from './search/thief.ts'

/** The window in ticks. A client gives up after half a window. */
const WINDOW = 4
const CLIENT = { window: WINDOW, patience: WINDOW / 2, cookie: false, confirms: false, parallel: 3, networks: 1 }

const THEFT = { window: WINDOW, patience: WINDOW / 2 }

const CLIENTS: readonly [name: string, client: HonestClient][] = [
  ['a client that stores what it reads', CLIENT],
  ['a browser with a cookie', { ...CLIENT, cookie: true }],
  ['a client that changes networks', { ...CLIENT, networks: 2 }],
  ['a browser that changes networks', { ...CLIENT, networks: 2, cookie: true }],
  ['a client that confirms', { ...CLIENT, confirms: true }],
]

/**
 * Tries every short history of one honest client, which must never be logged out. The former table
 * must fail the same search.
 */
export async function searchesOfHonestClients(run: Run): Promise<void> {
  const steps = run.times({ full: 21, short: 13 })
  for (const [name, client] of CLIENTS) {
    const found = searchHonest(tableOf(WINDOW), client, steps)
    note(run, name, steps, found)
    run.check(found.broken === undefined, `${name} is logged out: ${found.broken?.join(' | ')}`)
  }
  const former = searchHonest(formerTableOf(WINDOW), CLIENT, 14)
  run.check(former.broken !== undefined, 'the search finds nothing wrong with the former table')
  run.count(`steps until the former table logs an honest client out`, storyLength(former))
}

/**
 * Tries every short history of an owner and a thief, who must never both continue. The former table
 * must fail the same search.
 */
export async function searchesOfThieves(run: Run): Promise<void> {
  const steps = run.times({ full: 12, short: 8 })
  const found = searchThief(tableOf(WINDOW), { ...THEFT, origins: 6 }, steps)
  note(run, 'an owner and a thief of six origins', steps, found)
  run.check(found.broken === undefined, `owner and thief both continue: ${found.broken?.join(' | ')}`)
  const former = searchThief(formerTableOf(WINDOW), { ...THEFT, origins: 1 }, 11)
  run.check(former.broken !== undefined, 'the search finds nothing wrong with the former table')
  run.count('steps until the former table lets a thief continue', storyLength(former))
}

function note(run: Run, name: string, steps: number, { histories, situations }: Found): void {
  run.count(`histories of ${steps} steps, ${name}`, histories)
  run.count(`situations, ${name}`, situations)
}

/** The number of steps, without the start. */
function storyLength({ broken }: Found): number {
  return (broken?.length ?? 1) - 1
}
