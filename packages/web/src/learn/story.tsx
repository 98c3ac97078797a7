import { useState } from 'preact/hooks'
import { Exchange } from '../components/exchange.tsx'
import type { Exchanged, Received } from '../http.ts'

/** A request of the reader, with a name. */
export interface Chapter {
  /** Who did what, such as `Refresh as Ada`. */
  readonly title: string
  readonly exchange: Exchanged
}

/** The requests that a task has sent. */
export function useStory() {
  const [chapters, setChapters] = useState<readonly Chapter[]>([])
  return {
    chapters,
    /** Adds a request when it has ended, and returns the reply. */
    async tell(title: string, request: Promise<Exchanged>): Promise<Received | undefined> {
      const exchange = await request
      setChapters((before) => [...before, { title, exchange }])
      return exchange.received
    },
    /** Begins again with an empty story. */
    restart: () => setChapters([]),
  }
}

/** The requests of a task in order. The last one is open; the others open when chosen. */
export function Story({ chapters }: { chapters: readonly Chapter[] }) {
  const last = chapters.at(-1)
  return (
    <>
      <ol class="story">
        {chapters.map(({ title, exchange }, index) => (
          <li key={index}>
            <details open={index === chapters.length - 1}>
              <summary>
                {title}: <span class={`status ${isAccepted(exchange) ? 'good' : 'bad'}`}>{result(exchange)}</span>
              </summary>
              <Exchange exchange={exchange} />
            </details>
          </li>
        ))}
      </ol>
      <p class="visually-hidden" role="status">
        {last && `${last.title}: ${result(last.exchange)}`}
      </p>
    </>
  )
}

function isAccepted({ received }: Exchanged): boolean {
  return received !== undefined && received.status < 400
}

function result({ received }: Exchanged): string {
  return received === undefined ? 'no reply arrived' : inShort(received)
}

/** Such as `401 token_revoked`, or `400 invalid_grant, replayed`. */
function inShort({ status, body }: Received): string {
  const code: string | undefined = body?.code
  const reason: string | undefined = body?.reason
  return [[status, code].filter(Boolean).join(' '), reason].filter(Boolean).join(', ')
}
