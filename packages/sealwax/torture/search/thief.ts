import { decideConfirmation, type Presenter, type RefreshState } from '../../src/sessions/refresh-decision.ts'
import { type Found, searchHistories } from './breadth-first.ts'
import { begun, keyOf, type Table, written } from './table.ts'

interface Situation {
  readonly row: RefreshState
  readonly now: number
  /** The refresh token that the owner has stored. */
  readonly stored: number
  /** A response on its way to the owner, if there is one. */
  readonly late: { readonly token: number; readonly sentAt: number } | undefined
  /** The tokens of the thief. Undefined before the theft. */
  readonly loot: readonly number[] | undefined
  /** Rotations since the theft, by the owner and by the thief. */
  readonly rotations: readonly [owner: number, thief: number]
}

const AGENT = 'Mozilla/5.0 (owner)'
const OWNER: Presenter = { ip: '192.0.2.1', userAgent: AGENT }
/** The thief uses the owner's user agent and other networks. */
const ORIGINS: readonly Presenter[] = Array.from({ length: 6 }, (_, i) => ({ ip: `198.51.${i}.1`, userAgent: AGENT }))

/**
 * Tries every history of an owner and a thief. The thief takes one token, current or spent, at any
 * time, and presents it and all tokens received since at any time from up to `origins` origins.
 * Responses reach the owner immediately, late or never. The promise: owner and thief never both
 * rotate twice after the theft.
 */
export function searchThief(
  table: Table,
  { window, patience, origins }: { window: number; patience: number; origins: number },
  depth: number,
): Found {
  const start: Situation = { row: begun(OWNER), now: 0, stored: 1, late: undefined, loot: undefined, rotations: [0, 0] }
  return searchHistories(
    start,
    depth,
    (situation) => situationKey(situation, window),
    (s, to) => {
      ownerRefreshes(table, s, to)
      const { late } = s
      if (late === undefined || s.now + 1 - late.sentAt < patience) to('tick', { ...s, now: s.now + 1 })
      if (late === undefined) to('a long time', { ...s, now: s.now + 2 * window })
      else to(`${s.now}: the owner stores ${late.token}`, { ...s, stored: late.token, late: undefined })
      if (s.loot === undefined) {
        const known = new Set([s.stored, s.row.parent_generation ?? s.stored, s.row.generation])
        for (const token of known) to(`${s.now}: the thief takes ${token}`, { ...s, loot: [token] })
        return
      }
      for (const token of s.loot) {
        thiefConfirms(s, token, to)
        for (const presenter of distinct(s.row, origins)) thiefRefreshes(table, s, token, presenter, to)
      }
    },
  )
}

type To = (step: string, next: Situation | undefined) => void

function ownerRefreshes(table: Table, s: Situation, to: To): void {
  const decision = table(s.row, s.stored, OWNER, s.now)
  // The session ends, as promised. There is nothing more to try.
  if (decision.verdict === 'replay_detected') return
  const { verdict, handed } = decision
  const rotations = counted(s, verdict === 'rotated' ? [1, 0] : [0, 0])
  const next = { ...s, row: written(s.row, decision, OWNER), rotations }
  const step = `${s.now}: the owner's ${s.stored} is ${verdict}, handed ${handed}`
  if (broken(rotations)) {
    to(step, undefined)
    return
  }
  to(step, { ...next, stored: handed })
  to(`${step}, lost`, next)
  if (s.late === undefined) to(`${step}, late`, { ...next, late: { token: handed, sentAt: s.now } })
}

function thiefRefreshes(table: Table, s: Situation, token: number, presenter: Presenter, to: To): void {
  const decision = table(s.row, token, presenter, s.now)
  if (decision.verdict === 'replay_detected') return
  const { verdict, handed } = decision
  const row = written(s.row, decision, presenter)
  const rotations = counted(s, verdict === 'rotated' ? [0, 1] : [0, 0])
  // A token older than the parent can only end the session.
  const loot = [...new Set([...(s.loot ?? []), handed])].filter((own) => own >= (row.parent_generation ?? 0))
  const step = `${s.now}: the thief's ${token} from ${presenter.ip} is ${verdict}, handed ${handed}`
  to(step, broken(rotations) ? undefined : { ...s, row, rotations, loot })
}

/** A confirmation gives the parent one more window, and ends its recovery. */
function thiefConfirms(s: Situation, token: number, to: To): void {
  const row = decideConfirmation(s.row, token, s.now)
  if (row !== s.row) to(`${s.now}: the thief confirms ${token}`, { ...s, row })
}

function counted({ loot, rotations }: Situation, by: readonly [number, number]): readonly [number, number] {
  if (loot === undefined) return rotations
  return [Math.min(rotations[0] + by[0], 2), Math.min(rotations[1] + by[1], 2)]
}

function broken([owner, thief]: readonly [number, number]): boolean {
  return owner >= 2 && thief >= 2
}

/** The thief's origins that differ for the table: those that it has stored, and one other. */
function distinct(row: RefreshState, origins: number): Presenter[] {
  const text = `${row.seen_ip} ${row.forks?.origins.map(([origin]) => `${origin} `)}`
  const all = ORIGINS.slice(0, origins)
  const remembered = all.filter(({ ip }) => text.includes((ip as string).slice(0, -2)))
  const unknown = all.find((presenter) => !remembered.includes(presenter))
  return unknown === undefined ? remembered : [...remembered, unknown]
}

function situationKey({ row, now, stored, late, loot, rotations }: Situation, window: number): string {
  // The thief's origins are interchangeable. They are named in the order in which the row has them.
  const names = new Map<string | null, string>([[OWNER.ip as string, 'o']])
  const name = (ip: string | null) => {
    const known = names.get(ip) ?? `t${names.size}`
    names.set(ip, known)
    return known
  }
  const state = keyOf(row, now, window, name)
  const held = loot?.map((token) => row.generation - token).sort()
  const flying = late && `${row.generation - late.token}.${now - late.sentAt}`
  return `${state}|${row.generation - stored}|${flying}|${held ?? 'none'}|${rotations}`
}
