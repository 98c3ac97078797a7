import { useState } from 'preact/hooks'
import { Notice } from '../../components/notice.tsx'
import { type Received, send } from '../../http.ts'
import { useOneAtATime } from '../one-at-a-time.ts'
import { Prediction } from '../prediction.tsx'
import { getWithToken, logInAs, logOut } from '../requests.ts'
import type { LiveProps } from '../step.ts'
import { Story, useStory } from '../story.tsx'
import { readToken } from './forgeries.ts'
import { findKey, type KeySet, verifyWith } from './public-keys.ts'

/** What the page finds when it checks a token by itself. */
interface OwnCheck {
  readonly isSigned: boolean
  readonly kid: string
  /** Seconds until `exp`. */
  readonly remaining: number
}

async function checkOneself(token: string, reply: Received | undefined): Promise<OwnCheck | undefined> {
  const key = reply?.status === 200 ? findKey(reply.body as KeySet, token) : undefined
  if (key === undefined) return undefined
  return {
    isSigned: await verifyWith(key, token),
    kid: key.kid ?? '',
    remaining: Number(readToken(token).payload.exp) - Date.now() / 1000,
  }
}

interface Revoked {
  readonly token: string | undefined
  readonly status?: number | undefined
  readonly isRefused?: boolean
  readonly check?: OwnCheck | undefined
}

function useRevokedToken(done: () => void) {
  const { chapters, tell, restart } = useStory()
  const [state, setState] = useState<Revoked>({ token: undefined })
  const run = useOneAtATime()
  const { token = '' } = state
  const update = (changes: Partial<Revoked>) => {
    const next = { ...state, ...changes }
    setState(next)
    if (next.isRefused === true && next.check?.isSigned === true && next.check.remaining > 0) done()
  }
  const logIn = run(async () => {
    restart()
    setState({ token: (await tell('Log in as Ada', logInAs('ada')))?.body?.access_token })
  })
  const ask = run(async () => {
    const reply = await tell('Ask for the profile', getWithToken('/learn/api/profile', token))
    update({ isRefused: reply?.body?.code === 'token_revoked' })
  })
  const leave = run(async () => void (await tell('Log out', logOut(token))))
  const check = run(async () => {
    const keys = await tell('Fetch the public keys', send({ method: 'GET', path: '/.well-known/jwks.json' }))
    update({ check: await checkOneself(token, keys) })
  })
  return { chapters, state, logIn, ask, leave, check }
}

/** A token after its log-out: refused by the guard, and still well signed. */
export function RevokedToken({ done }: LiveProps) {
  const { chapters, state, logIn, ask, leave, check } = useRevokedToken(done)
  const [guess, setGuess] = useState<'200' | '401'>()
  const isMissing = state.token === undefined
  return (
    <>
      <Prediction
        question="After the log-out, the token is the same, and has 15 minutes left. What does the profile reply?"
        choices={[
          { value: '200', label: '200: a token counts until it expires' },
          { value: '401', label: '401: the session of the token has ended' },
        ]}
        guess={guess}
        onGuess={setGuess}
        outcome={state.isRefused ? '401' : undefined}
      />
      <div class="row">
        <button type="button" {...logIn}>
          Log in as Ada
        </button>
        <button type="button" {...ask} disabled={isMissing}>
          Ask for the profile
        </button>
        <button type="button" {...leave} disabled={isMissing}>
          Log out
        </button>
        <button type="button" class="secondary" {...check} disabled={isMissing}>
          Check the token in this page
        </button>
      </div>
      <div aria-live="polite">{state.check && <CheckResult check={state.check} />}</div>
      <Story chapters={chapters} />
    </>
  )
}

function CheckResult({ check: { isSigned, kid, remaining } }: { check: OwnCheck }) {
  const minutes = Math.floor(remaining / 60)
  return (
    <Notice kind={isSigned ? 'good' : 'bad'}>
      <p>
        This page fetched the public keys and checked the token with WebCrypto. Signature:{' '}
        {isSigned ? 'right' : 'wrong'}, by the key <code>{kid}</code>. <code>exp</code>: in {minutes} minutes and{' '}
        {Math.floor(remaining % 60)} seconds.
      </p>
    </Notice>
  )
}
