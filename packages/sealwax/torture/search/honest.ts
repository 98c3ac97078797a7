import { decideConfirmation, type Presenter, type RefreshState } from '../../src/sessions/refresh-decision.ts'
import { type Found, searchHistories } from './breadth-first.ts'
import { begun, keyOf, type Table, written } from './table.ts'

/** The behaviour of the honest client in a search. Times are in ticks. */
export interface HonestClient {
  /** Ticks of the refresh window. */
  readonly window: number
  /** A request and its response take fewer ticks than this. Otherwise the client gives up. */
  readonly patience: number
  /** Whether a response for a token that was kept stores nothing, as in cookie mode. */
  readonly cookie: boolean
  /** Whether the client confirms what it has stored. */
  readonly confirms: boolean
  /** The maximum number of requests in flight: two tabs and a retry. */
  readonly parallel: number
  /** The number of networks that the client switches between. */
  readonly networks: number
}

interface Flying {
  readonly kind: 'refresh' | 'confirmation' | 'reply'
  /** The refresh token. Undefined in a response that stores nothing. */
  readonly token: number | undefined
  readonly sentAt: number
  readonly network: number
}

interface Situation {
  readonly row: RefreshState
  readonly now: number
  /** The refresh token that the client has stored, shared by all its tabs. */
  readonly stored: number
  readonly flying: readonly Flying[]
}

const NETWORKS: readonly Presenter[] = ['192.0.2.1', '198.51.100.1', '203.0.113.1'].map((ip) => ({
  ip,
  userAgent: 'Mozilla/5.0 (owner)',
}))
const LETTERS = 'abc'

/**
 * Tries every history of one honest client with several tabs that switches networks. Requests and
 * responses take time, overtake one another and get lost. A server crash before or after the commit
 * is a lost request or response. The promise: the session never ends.
 */
export function searchHonest(table: Table, client: HonestClient, depth: number): Found {
  const { window, patience, parallel } = client
  const start: Situation = { row: begun(NETWORKS[0] as Presenter), now: 0, stored: 1, flying: [] }
  return searchHistories(
    start,
    depth,
    (situation) => situationKey(situation, window),
    (s, to) => {
      if (s.flying.length < parallel) {
        for (let network = 0; network < client.networks; network += 1) {
          const request = { kind: 'refresh', token: s.stored, sentAt: s.now, network } as const
          to(`${s.now}: sends ${s.stored} from ${LETTERS[network]}`, { ...s, flying: [...s.flying, request] })
        }
        if (client.confirms) {
          const request = { kind: 'confirmation', token: s.stored, sentAt: s.now, network: 0 } as const
          to(`${s.now}: confirms ${s.stored}`, { ...s, flying: [...s.flying, request] })
        }
      }
      for (const flight of s.flying) {
        const rest = s.flying.filter((other) => other !== flight)
        to(`${s.now}: ${flight.kind} ${flight.token} is lost`, { ...s, flying: rest })
        if (flight.kind === 'reply') {
          to(`${s.now}: stores ${flight.token}`, { ...s, flying: rest, stored: flight.token ?? s.stored })
        } else arrive(table, client, s, flight, rest, to)
      }
      if (s.flying.every(({ sentAt }) => s.now + 1 - sentAt < patience)) to('tick', { ...s, now: s.now + 1 })
      if (s.flying.length === 0) to('a long time', { ...s, now: s.now + 2 * window })
    },
  )
}

function arrive(
  table: Table,
  { cookie }: HonestClient,
  s: Situation,
  flight: Flying,
  rest: readonly Flying[],
  to: (step: string, next: Situation | undefined) => void,
): void {
  const token = flight.token as number
  if (flight.kind === 'confirmation') {
    const row = decideConfirmation(s.row, token, s.now)
    to(`${s.now}: ${token} is confirmed`, { ...s, row, flying: rest })
    return
  }
  const presenter = NETWORKS[flight.network] as Presenter
  const decision = table(s.row, token, presenter, s.now)
  if (decision.verdict === 'replay_detected') {
    to(`${s.now}: ${token} is taken for a replay`, undefined)
    return
  }
  const { verdict, handed } = decision
  const reply = { ...flight, kind: 'reply', token: cookie && verdict === 'kept' ? undefined : handed } as const
  const next = { ...s, row: written(s.row, decision, presenter), flying: [...rest, reply] }
  to(`${s.now}: ${token} is ${verdict}, handed ${handed}`, next)
}

function situationKey({ row, now, stored, flying }: Situation, window: number): string {
  const networks = NETWORKS.map(({ ip }) => ip as string)
  const letter = (ip: string | null) => LETTERS[networks.indexOf(ip ?? '')] as string
  const age = (token: number | undefined) => (token === undefined ? '-' : row.generation - token)
  const flights = flying.map(({ kind, token, sentAt, network }) => {
    // The network of a response no longer matters.
    return `${kind[0]}${kind[4]}${age(token)}.${now - sentAt}${kind === 'reply' ? '' : network}`
  })
  return `${keyOf(row, now, window, letter)}|${age(stored)}|${flights.sort().join()}`
}
