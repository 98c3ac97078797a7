import { useState } from 'preact/hooks'
import { Exchange } from '../../components/exchange.tsx'
import { Notice } from '../../components/notice.tsx'
import { type Exchanged, send } from '../../http.ts'
import { InjectedComment } from '../injected-comment.tsx'
import { Prediction } from '../prediction.tsx'
import { useCleanUp } from '../refresh-token-place.ts'
import { foundNothing, readsProfileOfAda, tokenIn } from '../reports.ts'
import type { LiveProps, Step } from '../step.ts'
import { otherSite, sameSite } from './storage-foreign.tsx'

const LOOK = `Nice page!
<script>
  parent.postMessage({
    localStorage: localStorage.getItem('refresh_token'),
    cookie: document.cookie,
  }, '*')
</script>`

const ACT = `Nice page!
<script>
  fetch('/refresh', { method: 'POST' })
    .then((reply) => reply.json())
    .then(({ access_token }) =>
      fetch('/learn/api/profile', {
        headers: { Authorization: 'Bearer ' + access_token },
      }))
    .then((reply) => reply.json())
    .then((profile) => parent.postMessage({ profile }, '*'))
</script>`

function FromLocalStorage({ done }: LiveProps) {
  const [report, setReport] = useState<unknown>()
  const [used, setUsed] = useState<Exchanged>()
  useCleanUp()
  const token = tokenIn(report)
  const use = async () => {
    // Without cookies, as from the attacker's own computer.
    const result = await send(
      { method: 'POST', path: '/refresh', body: { refresh_token: token } },
      { credentials: 'omit' },
    )
    setUsed(result)
    if (result.received?.status === 200) done()
  }
  return (
    <InjectedComment
      place="localStorage"
      script={LOOK}
      frameTitle="The comments page, with the token in localStorage"
      onReport={(data) => {
        setReport(data)
        setUsed(undefined)
      }}
    >
      {token === undefined ? (
        <Notice>This report has no refresh token in it.</Notice>
      ) : (
        <>
          <Notice kind="bad">The refresh token is stolen. Use it as the attacker would, from another computer.</Notice>
          <div class="row">
            <button type="button" onClick={use}>
              Use the stolen token
            </button>
          </div>
        </>
      )}
      {used && <Exchange exchange={used} />}
      {used && used.received?.status !== 200 && <p>This token is no longer accepted. Log in, and steal a new one.</p>}
    </InjectedComment>
  )
}

const FINDINGS = [
  { value: 'token', label: 'It finds the refresh token in the cookie.' },
  { value: 'nothing', label: 'It finds no token.' },
] as const

function FromCookie({ done }: LiveProps) {
  const [guess, setGuess] = useState<'token' | 'nothing'>()
  const [outcome, setOutcome] = useState<'token' | 'nothing'>()
  const onReport = (data: unknown) => {
    const found = tokenIn(data) !== undefined
    setOutcome(found ? 'token' : foundNothing(data) ? 'nothing' : undefined)
    if (foundNothing(data)) done()
  }
  return (
    <>
      <Prediction
        question="What does the same script find now?"
        choices={FINDINGS}
        guess={guess}
        onGuess={setGuess}
        outcome={outcome}
      />
      <InjectedComment
        place="cookie"
        script={LOOK}
        frameTitle="The comments page, with the token in a cookie"
        onReport={onReport}
      />
    </>
  )
}

function Act({ done }: LiveProps) {
  return (
    <InjectedComment
      place="cookie"
      script={ACT}
      frameTitle="The comments page, with a script that acts as Ada"
      onReport={(data) => {
        if (readsProfileOfAda(data)) done()
      }}
    />
  )
}

/** Step 9: a script steals from localStorage and not from a cookie; a foreign page tries CSRF. */
export const storage: Step = {
  id: 'storage',
  title: 'Where to keep a token in a browser',
  text: (
    <>
      <p>
        The access token can stay in a variable of the page. The refresh token has to survive a reload, so it is kept
        either in <code>localStorage</code> or in a cookie. Scripts can read <code>localStorage</code>. They cannot read
        a cookie that was set with <code>HttpOnly</code>, but the browser adds it to requests by itself.
      </p>
      <p>
        So there are two attacks to try: a script that was injected into the page (cross-site scripting, XSS), and a
        request that a foreign page sends (cross-site request forgery, CSRF).
      </p>
    </>
  ),
  tasks: [
    {
      id: 'local-storage',
      title: 'Steal the refresh token from localStorage',
      text: (
        <p>
          After the log-in, the app calls <code>localStorage.setItem('refresh_token', …)</code>. It also has a page with
          comments, which does not escape them and allows inline scripts. A script in a comment therefore runs as part
          of the app. This one reports what it finds to the lesson; that of an attacker would send it to their own
          server.
        </p>
      ),
      Live: FromLocalStorage,
      afterwards: (
        <p>
          With the refresh token, the attacker has Ada's session on another computer, and closing the page does not end
          it. When you leave this step, the lesson removes the token from <code>localStorage</code>.
        </p>
      ),
    },
    {
      id: 'cookie',
      title: 'Keep it in a cookie, and post the same comment',
      text: (
        <p>
          With <code>"mode": "cookie"</code>, the reply has no <code>refresh_token</code>. It has the header{' '}
          <code>Set-Cookie: lesson=swr_…; HttpOnly; SameSite=Strict; Path=/</code>, which is not shown below because
          scripts cannot read it. On HTTPS, the cookie also has <code>Secure</code>.
        </p>
      ),
      Live: FromCookie,
      afterwards: (
        <p>
          The cookie came with the request for the page, but neither <code>localStorage</code> nor{' '}
          <code>document.cookie</code> has it. The script cannot send away what it cannot read.
        </p>
      ),
    },
    {
      id: 'act',
      title: 'See what the script can still do',
      text: (
        <p>
          A script in the page can send requests, and the browser adds the cookie. This one asks for an access token and
          reads Ada's profile with it.
        </p>
      ),
      Live: Act,
      afterwards: (
        <p>
          The script acted as Ada. It could also have sent the access token away, which is valid for 15 minutes. So{' '}
          <code>HttpOnly</code> does not stop an injected script; it limits the damage to the time while the page is
          open and shortly after. To stop the script itself, escape what users write, and forbid inline scripts with a
          Content-Security-Policy.
        </p>
      ),
    },
    otherSite,
    sameSite,
  ],
}
