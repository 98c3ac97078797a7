import { useState } from 'preact/hooks'
import type { Exchanged } from '../../http.ts'
import { type Attacked, ForeignRequest, isLoggedIn, type Way } from '../foreign-request.tsx'
import { PlaceLogIn } from '../place-log-in.tsx'
import { Prediction } from '../prediction.tsx'
import { type Outcome, outcomeOf } from '../reports.ts'
import type { LiveProps, Task } from '../step.ts'

const OUTCOMES: readonly { readonly value: Outcome; readonly label: string }[] = [
  { value: 'accepted', label: 'The cookie arrives, and Ada is logged out.' },
  { value: 'refused', label: 'The cookie arrives, and the server refuses the request.' },
  { value: 'bare', label: 'The request arrives without the cookie.' },
  { value: 'none', label: 'No request arrives.' },
]

function Foreign({
  from,
  buttons,
  expected,
  done,
}: {
  from: 'foreign' | 'neighbour'
  buttons: readonly { readonly way: Way; readonly label: string }[]
  /** What shows the defence that this task is about. */
  expected: Outcome
  done: () => void
}) {
  const [login, setLogin] = useState<Exchanged>()
  const [guess, setGuess] = useState<Outcome>()
  const [outcome, setOutcome] = useState<Outcome>()
  const onAttacked = (attacked: Attacked | undefined) => {
    const result = attacked === undefined ? undefined : outcomeOf(attacked.request)
    // Without a cookie in the browser, a request without one shows nothing.
    const counts = result === 'accepted' || isLoggedIn(attacked?.own)
    setOutcome(counts ? result : undefined)
    if (counts && result === expected) done()
  }
  return (
    <>
      <PlaceLogIn place="cookie" login={login} onLogIn={setLogin} />
      <Prediction
        question="Ada is logged in. What happens when the foreign page sends POST /logout?"
        choices={OUTCOMES}
        guess={guess}
        onGuess={setGuess}
        outcome={outcome}
      />
      <ForeignRequest from={from} buttons={buttons} onAttacked={onAttacked} />
    </>
  )
}

const OTHER_SITE = [
  { way: 'form', label: 'Let the other site send a form' },
  { way: 'fetch', label: 'Let the other site call fetch' },
] as const

/** A foreign page of another site: the browser leaves the cookie out. */
export const otherSite: Task = {
  id: 'other-site',
  title: 'Let a page of another site log Ada out',
  text: (
    <p>
      Any page may send a form, or a simple request with <code>fetch</code>, to any server: CORS protects the replies,
      not these requests. The foreign page below is at <code>localhost</code>, this one at <code>127.0.0.1</code>. It is
      the same computer, but for the browser these are two sites.
    </p>
  ),
  Live: ({ done }: LiveProps) => <Foreign from="foreign" buttons={OTHER_SITE} expected="bare" done={done} />,
  afterwards: (
    <p>
      This is the first defence. The browser does not send a cookie with <code>SameSite=Strict</code> when another site
      caused the request. The call of <code>fetch</code> then has no credentials, which is 401. The form gets 415 before
      that, since the server accepts only JSON, and a form cannot send that.
    </p>
  ),
}

const SAME_SITE = [{ way: 'fetch', label: 'Let the other origin call fetch' }] as const

/** A foreign page of the same site: the cookie arrives, and the server refuses it. */
export const sameSite: Task = {
  id: 'same-site',
  title: 'Let another origin of the same site try',
  text: (
    <p>
      A site is less precise than an origin: it has no port, and <code>blog.example.com</code> is of the same site as{' '}
      <code>app.example.com</code>. This foreign page is at <code>127.0.0.1</code>, too, with another port.
    </p>
  ),
  Live: ({ done }: LiveProps) => <Foreign from="neighbour" buttons={SAME_SITE} expected="refused" done={done} />,
  afterwards: (
    <>
      <p>
        This is the second defence. For the browser it is the same site, so the cookie was sent. But the server compares{' '}
        <code>Sec-Fetch-Site</code> and <code>Origin</code> with its own origin before it reads the cookie, and refuses
        with 403 <code>csrf_failed</code>. Scripts cannot change these headers.
      </p>
      <p>
        In short: keep the access token in a variable, and the refresh token in a cookie with <code>HttpOnly</code>,{' '}
        <code>Secure</code> and <code>SameSite=Strict</code>, and check the origin of every request that the cookie
        authenticates. A token in the header <code>Authorization</code> needs no such check, because browsers do not add
        it by themselves.
      </p>
    </>
  ),
}
