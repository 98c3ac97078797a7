import { useState } from 'preact/hooks'
import { send } from '../../http.ts'
import { showDate } from '../../token/times.ts'
import { useOneAtATime } from '../one-at-a-time.ts'
import { Prediction } from '../prediction.tsx'
import { getWithToken, logInAs, logOut } from '../requests.ts'
import type { LiveProps } from '../step.ts'
import { Story, useStory } from '../story.tsx'
import { readToken } from './forgeries.ts'
import { type Refused, untilRefused } from './until-refused.ts'

/** The guards that are asked, with their routes. */
const GUARDS = [
  { name: 'The server that issued the token', path: '/learn/api/profile' },
  { name: 'The second service', path: '/learn/api/second-service' },
] as const

function useMeasurement(done: () => void) {
  const { chapters, tell, restart } = useStory()
  const [token, setToken] = useState<string>()
  const [results, setResults] = useState<readonly (Refused | undefined)[]>()
  const run = useOneAtATime()
  const logIn = run(async () => {
    restart()
    setResults(undefined)
    setToken(undefined)
    const accessToken: string | undefined = (await tell('Log in as Ada', logInAs('ada')))?.body?.access_token
    if (accessToken === undefined) return
    for (const { name, path } of GUARDS) await tell(`Ask: ${name}`, getWithToken(path, accessToken))
    setToken(accessToken)
  })
  const measure = run(async () => {
    if (token === undefined) return
    const reply = await tell('Log out', logOut(token))
    if (reply?.status !== 204) return
    const since = performance.now()
    const refusals = await Promise.all(GUARDS.map(({ path }) => untilRefused(() => getWithToken(path, token), since)))
    setResults(refusals)
    for (const [index, { name }] of GUARDS.entries()) {
      const refusal = refusals[index]
      if (refusal) await tell(`Ask: ${name}`, Promise.resolve(refusal.exchange))
    }
    if (refusals.every((one) => one?.exchange.received?.body?.code === 'token_revoked')) done()
  })
  return { chapters, token, results, logIn, measure }
}

type Delay = 'second' | 'minute' | 'expiry'

function delayOf(results: readonly (Refused | undefined)[] | undefined): Delay | undefined {
  const second = results?.[1]
  if (results === undefined) return undefined
  if (second === undefined) return 'expiry'
  return second.after < 1000 ? 'second' : 'minute'
}

/** Asks two guards from the moment of the log-out until each refuses. */
export function MeasuredDelay({ done }: LiveProps) {
  const { chapters, token, results, logIn, measure } = useMeasurement(done)
  const [guess, setGuess] = useState<Delay>()
  return (
    <>
      <Prediction
        question="The second service has no connection to the database. When does it refuse the token?"
        choices={[
          { value: 'second', label: 'Within a second after the log-out' },
          { value: 'minute', label: 'Within a minute' },
          { value: 'expiry', label: 'When the token expires' },
        ]}
        guess={guess}
        onGuess={setGuess}
        outcome={delayOf(results)}
      />
      <div class="row">
        <button type="button" {...logIn}>
          Log in as Ada
        </button>
        <button type="button" {...measure} disabled={token === undefined || results !== undefined}>
          Log out, and measure
        </button>
      </div>
      <div aria-live="polite">{results && token && <Results results={results} token={token} />}</div>
      <Story chapters={chapters} />
    </>
  )
}

function Results({ results, token }: { results: readonly (Refused | undefined)[]; token: string }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Guard</th>
          <th scope="col">Requests accepted after the log-out</th>
          <th scope="col">First refusal</th>
        </tr>
      </thead>
      <tbody>
        {GUARDS.map(({ name }, index) => {
          const result = results[index]
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{result === undefined ? 'every request' : result.accepted}</td>
              <td>{result === undefined ? 'none' : `after ${Math.round(result.after)} ms`}</td>
            </tr>
          )
        })}
        <tr>
          <th scope="row">A guard that only checks the times</th>
          <td>every request</td>
          <td>{showDate(readToken(token).payload.exp, Date.now() / 1000)?.relative}</td>
        </tr>
      </tbody>
    </table>
  )
}

/** The list that the second service follows, with the reader's own session in it. */
export function Feed({ done }: LiveProps) {
  const { chapters, tell, restart } = useStory()
  const [session, setSession] = useState<string>()
  const [isListed, setIsListed] = useState<boolean>()
  const run = useOneAtATime()
  const logInAndOut = run(async () => {
    restart()
    setIsListed(undefined)
    const token: string | undefined = (await tell('Log in as Ada', logInAs('ada')))?.body?.access_token
    if (token === undefined) return
    setSession(String(readToken(token).payload.sid))
    await tell('Log out', logOut(token))
  })
  const read = run(async () => {
    const reply = await tell('Read the feed', send({ method: 'GET', path: '/.well-known/revocations' }))
    const entries: readonly { sid?: string }[] = reply?.body?.entries ?? []
    const found = entries.some(({ sid }) => sid !== undefined && sid === session)
    setIsListed(found)
    if (found) done()
  })
  return (
    <>
      <div class="row">
        <button type="button" {...logInAndOut}>
          Log in and out as Ada
        </button>
        <button type="button" {...read}>
          Read the feed
        </button>
      </div>
      {session && (
        <p>
          The token that you got and revoked has the claim <code>sid</code> (session id): <code>{session}</code>
        </p>
      )}
      <p role="status">
        {isListed === true && 'The feed has an entry with this session id.'}
        {isListed === false && 'The feed has no entry of a session that you ended in this task.'}
      </p>
      <Story chapters={chapters} />
    </>
  )
}
