import { Exchange } from '../components/exchange.tsx'
import type { Exchanged } from '../http.ts'
import { logInWith, type Place } from './refresh-token-place.ts'

const LABELS: Readonly<Record<Place, string>> = {
  localStorage: 'Log in, token in localStorage',
  cookie: 'Log in, token in a cookie',
}

/** A button that logs in as Ada, and the request and the reply. */
export function PlaceLogIn({
  place,
  login,
  onLogIn,
}: {
  place: Place
  login: Exchanged | undefined
  onLogIn: (login: Exchanged) => void
}) {
  const isLoggedIn = login?.received?.status === 200
  return (
    <>
      <div class="row">
        <button
          type="button"
          class={isLoggedIn ? 'secondary' : ''}
          onClick={async () => onLogIn(await logInWith(place))}
        >
          {LABELS[place]}
        </button>
        <span aria-live="polite">{isLoggedIn && 'Ada is logged in.'}</span>
      </div>
      {login && (
        <details class="unfold" open={!isLoggedIn}>
          <summary>The request and the reply</summary>
          <Exchange exchange={login} />
        </details>
      )}
    </>
  )
}
