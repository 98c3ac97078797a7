import { useState } from 'preact/hooks'
import type { Choice } from '../../components/choices.tsx'
import { Exchange } from '../../components/exchange.tsx'
import type { Exchanged } from '../../http.ts'
import { GuardChecks } from '../guard-checks-view.tsx'
import { Prediction } from '../prediction.tsx'
import { getWithToken } from '../requests.ts'
import type { LiveProps } from '../step.ts'
import { BriefLogIn, type BriefToken } from './brief-token.tsx'
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
  const [outcome, setOutcome] = useState<string>()
  return (
    <Prediction
      question="Predict: what makes the token useless after ten seconds?"
      choices={ENDS}
      guess={guess}
      onGuess={setGuess}
      outcome={outcome}
    >
      <BriefLogIn brief={brief} onToken={setBrief} isReady={guess !== undefined} />
      {brief && (
        <Requests
          key={brief.token}
          brief={brief}
          onExpired={() => {
            setOutcome('clock')
            done()
          }}
        />
      )}
    </Prediction>
  )
}

/** The requests with one token. */
function Requests({ brief, onExpired }: { brief: BriefToken; onExpired: () => void }) {
  const [sendings, setSendings] = useState<readonly Sending[]>([])
  const [exchange, setExchange] = useState<Exchanged>()
  const sendIt = async () => {
    const left = secondsLeft(brief.times, Date.now())
    const result = await getWithToken('/learn/api/brief', brief.token)
    setExchange(result)
    const all = [...sendings, { left, status: result.received?.status, code: result.received?.body?.code }]
    setSendings(all)
    if (sawExpiry(all)) onExpired()
  }
  return (
    <>
      <div class="row">
        <button type="button" onClick={sendIt}>
          Send the token
        </button>
      </div>
      <div aria-live="polite">
        {sendings.length > 0 && <Sendings sendings={sendings} />}
        <p>{adviceOn(sendings)}</p>
      </div>
      {exchange && <Exchange exchange={exchange} />}
      {exchange?.received && <GuardChecks reply={exchange.received} />}
    </>
  )
}

function Sendings({ sendings }: { sendings: readonly Sending[] }) {
  return (
    <table class="stages">
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
  )
}

function adviceOn(sendings: readonly Sending[]): string {
  if (sendings.length === 0 || sawExpiry(sendings)) return ''
  return sendings.some(({ status }) => status === 200)
    ? 'It is accepted. Send it again when the countdown is over.'
    : 'You have not sent this token while it was valid. Get a new one and send it at once.'
}
