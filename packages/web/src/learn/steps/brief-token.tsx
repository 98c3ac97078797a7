import { useEffect, useState } from 'preact/hooks'
import { Exchange } from '../../components/exchange.tsx'
import type { Exchanged } from '../../http.ts'
import { logInAs } from '../requests.ts'
import { secondsLeft, spellLeft, type Times, timesOf } from './countdown.ts'

/** A token of the second issuer, which is valid for ten seconds. */
export interface BriefToken {
  readonly token: string
  readonly times: Times
}

/** A button that gets a token of ten seconds, and its countdown. */
export function BriefLogIn({
  brief,
  onToken,
  isReady = true,
}: {
  brief: BriefToken | undefined
  onToken: (brief: BriefToken) => void
  /** Whether the reader may press the button. */
  isReady?: boolean
}) {
  const [login, setLogin] = useState<Exchanged>()
  const logIn = async () => {
    const exchange = await logInAs('ada', '/brief')
    setLogin(exchange)
    const token: unknown = exchange.received?.body?.access_token
    const times = typeof token === 'string' ? timesOf(token) : undefined
    if (typeof token === 'string' && times !== undefined) onToken({ token, times })
  }
  return (
    <>
      <div class="row">
        <button type="button" class={brief === undefined ? '' : 'secondary'} disabled={!isReady} onClick={logIn}>
          {brief === undefined ? 'Get a ten-second token' : 'Get a new ten-second token'}
        </button>
      </div>
      {brief && <Countdown key={brief.token} times={brief.times} />}
      {login && (
        <details open={brief === undefined}>
          <summary>The log-in: request and reply</summary>
          <Exchange exchange={login} />
        </details>
      )}
    </>
  )
}

function Countdown({ times }: { times: Times }) {
  const left = useSecondsLeft(times)
  return (
    <div class="countdown" data-expired={left <= 0}>
      <p>
        <code>exp</code> {times.exp} is {new Date(times.exp * 1000).toLocaleTimeString()}.{' '}
        {/* A timer is not a live region: a count every second would drown everything else. */}
        <strong role="timer" aria-label="Countdown">
          {spellLeft(left)}
        </strong>
      </p>
      {/* The text says the same. */}
      <progress aria-hidden="true" max={times.exp - times.iat} value={Math.max(0, left)} />
      <p class="visually-hidden" aria-live="polite">
        {left <= 0 && 'The token has expired.'}
      </p>
    </div>
  )
}

/** How long the countdown goes on after `exp`, in seconds. */
const SHOWN_AFTER = 120

function useSecondsLeft(times: Times): number {
  const [left, setLeft] = useState(() => secondsLeft(times, Date.now()))
  const isOver = left < -SHOWN_AFTER
  useEffect(() => {
    if (isOver) return
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    const timer = setInterval(() => setLeft(secondsLeft(times, Date.now())), calm ? 1000 : 100)
    return () => clearInterval(timer)
  }, [times, isOver])
  return left
}
