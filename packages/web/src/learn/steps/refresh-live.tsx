import { useState } from 'preact/hooks'
import { Notice } from '../../components/notice.tsx'
import { type Exchanged, type Received, send } from '../../http.ts'
import { useOneAtATime } from '../one-at-a-time.ts'
import { Prediction } from '../prediction.tsx'
import { logInAs, refreshRequest, shortened } from '../requests.ts'
import type { LiveProps } from '../step.ts'
import { Story, useStory } from '../story.tsx'

interface Tokens {
  readonly access: string
  readonly refresh: string
}

function tokensOf(reply: Received | undefined): Tokens | undefined {
  const { access_token: access, refresh_token: refresh } = reply?.body ?? {}
  return access === undefined ? undefined : { access, refresh }
}

type Changed = 'both' | 'access' | 'refresh'

function changesOf(before: Tokens, after: Tokens): Changed {
  if (before.refresh === after.refresh) return 'access'
  return before.access === after.access ? 'refresh' : 'both'
}

function useRotation(done: () => void) {
  const { chapters, tell, restart } = useStory()
  const [pairs, setPairs] = useState<readonly Tokens[]>([])
  const run = useOneAtATime()
  const after = pairs.at(-1)
  const logIn = run(async () => {
    restart()
    const tokens = tokensOf(await tell('Log in as Ada', logInAs('ada')))
    setPairs(tokens === undefined ? [] : [tokens])
  })
  const refresh = run(async () => {
    if (after === undefined) return
    const tokens = tokensOf(await tell('Refresh', send(refreshRequest(after.refresh))))
    if (tokens === undefined) return
    setPairs([...pairs, tokens])
    if (changesOf(after, tokens) === 'both') done()
  })
  return { chapters, pairs, logIn, refresh }
}

/** A refresh of one session, with both pairs of tokens side by side. */
export function Rotate({ done }: LiveProps) {
  const { chapters, pairs, logIn, refresh } = useRotation(done)
  const [guess, setGuess] = useState<Changed>()
  const [before, after] = [pairs.at(-2), pairs.at(-1)]
  const first = pairs[1] && changesOf(pairs[0] as Tokens, pairs[1])
  return (
    <>
      <Prediction
        question="Which tokens will the reply to the refresh contain?"
        choices={[
          { value: 'access', label: 'A new access token, and the refresh token that was sent' },
          { value: 'both', label: 'A new access token, and a new refresh token' },
          { value: 'refresh', label: 'The same access token, and a new refresh token' },
        ]}
        guess={guess}
        onGuess={setGuess}
        outcome={first}
      />
      <div class="row">
        <button type="button" {...logIn}>
          Log in as Ada
        </button>
        <button type="button" {...refresh} disabled={after === undefined}>
          Refresh
        </button>
      </div>
      {before && after && <Comparison before={before} after={after} />}
      <Story chapters={chapters} />
    </>
  )
}

function Comparison({ before, after }: { before: Tokens; after: Tokens }) {
  const rows = [
    { name: 'Access token', one: before.access, other: after.access },
    { name: 'Refresh token', one: before.refresh, other: after.refresh },
  ]
  return (
    <>
      <table class="compared">
        <thead>
          <tr>
            <th scope="col">Ends with</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Changed</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, one, other }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <code>{shortened(one)}</code>
              </td>
              <td>
                <code>{shortened(other)}</code>
              </td>
              <td>{one === other ? 'no' : 'yes'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {before.refresh === after.refresh && (
        <Notice>
          <p>
            This time the refresh token is the same. For a minute after a rotation, this server keeps it, so that
            several tabs which refresh at the same moment end up with one refresh token.
          </p>
        </Notice>
      )}
    </>
  )
}

type Retried = 'same' | 'other' | 'refused'

function useLostReply(done: () => void) {
  const { chapters, tell, restart } = useStory()
  const [token, setToken] = useState<string>()
  const [lost, setLost] = useState<string>()
  const [outcome, setOutcome] = useState<Retried>()
  const run = useOneAtATime()
  const logIn = run(async () => {
    restart()
    setLost(undefined)
    setOutcome(undefined)
    setToken(tokensOf(await tell('Log in as Ada', logInAs('ada')))?.refresh)
  })
  const lose = run(async () => {
    if (token === undefined) return
    let dropped: Received | undefined
    const request = send(refreshRequest(token)).then(({ sent, received }): Exchanged => {
      dropped = received
      return { sent, received: undefined }
    })
    await tell('Refresh, and lose the reply', request)
    setLost(tokensOf(dropped)?.refresh)
  })
  const again = run(async () => {
    if (token === undefined || lost === undefined) return
    const tokens = tokensOf(await tell('Send the same refresh token again', send(refreshRequest(token))))
    const result = tokens === undefined ? 'refused' : tokens.refresh === lost ? 'same' : 'other'
    setOutcome(result)
    if (result === 'same') done()
  })
  return { chapters, token, lost, outcome, logIn, lose, again }
}

/** A refresh whose reply never reaches the client. */
export function LostReply({ done }: LiveProps) {
  const { chapters, token, lost, outcome, logIn, lose, again } = useLostReply(done)
  const [guess, setGuess] = useState<Retried>()
  return (
    <>
      <Prediction
        question="The refresh token was used already. What does the server reply when it comes a second time?"
        choices={[
          { value: 'refused', label: 'It refuses the token' },
          { value: 'same', label: 'The new refresh token that was in the lost reply' },
          { value: 'other', label: 'Another new refresh token' },
        ]}
        guess={guess}
        onGuess={setGuess}
        outcome={outcome}
      />
      <div class="row">
        <button type="button" {...logIn}>
          Log in as Ada
        </button>
        <button type="button" {...lose} disabled={token === undefined}>
          Refresh, and lose the reply
        </button>
        <button type="button" {...again} disabled={lost === undefined}>
          Send the same refresh token again
        </button>
      </div>
      {outcome && lost && <RetryResult outcome={outcome} lost={lost} />}
      <Story chapters={chapters} />
    </>
  )
}

function RetryResult({ outcome, lost }: { outcome: Retried; lost: string }) {
  if (outcome === 'same')
    return (
      <Notice kind="good">
        <p>
          The page had set the lost reply aside, only to compare: both replies contain the refresh token that ends with{' '}
          <code>{shortened(lost)}</code>.
        </p>
      </Notice>
    )
  if (outcome === 'refused') return null
  return (
    <Notice>
      <p>
        More than 30 seconds went by, so the server did not repeat its reply. It made another refresh token instead,
        because the one in the lost reply was never used. Log in again and be faster to see the reply repeated.
      </p>
    </Notice>
  )
}
