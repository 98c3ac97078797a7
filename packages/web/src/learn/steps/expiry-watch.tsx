import { useState } from 'preact/hooks'
import type { Choice } from '../../components/choices.tsx'
import { Exchange } from '../../components/exchange.tsx'
import type { Exchanged } from '../../http.ts'
import { GuardChecks } from '../guard-checks-view.tsx'
import { Prediction } from '../prediction.tsx'
import type { LiveProps } from '../step.ts'
import { BriefLogIn, type BriefToken, sendBrief } from './brief-token.tsx'
import { type Sending, sawExpiry, secondsLeft, spellLeft } from './countdown.ts'

const ENDS: readonly Choice[] = [
  { value: 'deleted', label: 'The server deletes the token from a list.' },
  { value: 'clock', label: 'Nobody does anything. The guard compares exp with its clock.' },
  { value: 'browser', label: 'The browser stops sending the token.' },
]

/** A token of ten seconds, sent before and after it expires. */
export function WatchExpiry({ done }: LiveProps) {
  const [guess, setGuess] = useState<string>()
  const [brief, setBrief] = useState<BriefToken>()
  const [sendings, setSendings] = useState<readonly Sending[]>([])
  const [exchange, setExchange] = useState<Exchanged>()
  const sawItExpire = sawExpiry(sendings)
  const sendIt = async (current: BriefToken) => {
    const left = secondsLeft(current.times, Date.now())
    const result = await sendBrief('/learn/api/brief', current)
    setExchange(result)
    const all = [...sendings, { left, status: result.received?.status, code: result.received?.body?.code }]
    setSendings(all)
    if (sawExpiry(all)) done()
  }
  const begin = (token: BriefToken) => {
    setBrief(token)
    setSendings([])
    setExchange(undefined)
  }
  return (
    <>
      <Prediction
        question="Predict: what makes the token useless after ten seconds?"
        choices={ENDS}
        guess={guess}
        onGuess={setGuess}
        outcome={sawItExpire ? 'clock' : undefined}
      />
      <BriefLogIn brief={brief} onToken={begin} isReady={guess !== undefined} />
      {brief && (
        <div class="row">
          <button type="button" onClick={() => sendIt(brief)}>
            Send the token
          </button>
        </div>
      )}
      {sendings.length > 0 && <Sendings sendings={sendings} />}
      {exchange && <Exchange exchange={exchange} />}
      {exchange?.received && <GuardChecks reply={exchange.received} />}
    </>
  )
}

function Sendings({ sendings }: { sendings: readonly Sending[] }) {
  return (
    <div aria-live="polite">
      <table>
        <caption>Requests with this token</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Reply</th>
          </tr>
        </thead>
        <tbody>
          {sendings.map(({ left, status, code }, index) => (
            <tr key={index}>
              <td>{spellLeft(left)}</td>
              <td>
                {status ?? 'none'} {code && <code>{code}</code>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>{adviceOn(sendings)}</p>
    </div>
  )
}

function adviceOn(sendings: readonly Sending[]): string {
  if (sawExpiry(sendings)) return ''
  return sendings.some(({ status }) => status === 200)
    ? 'It is accepted. Send it again when the countdown is over.'
    : 'You have not sent this token while it was valid. Get a new one and send it at once.'
}
