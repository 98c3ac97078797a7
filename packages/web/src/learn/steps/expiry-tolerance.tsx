import { useState } from 'preact/hooks'
import type { Choice } from '../../components/choices.tsx'
import { Exchange } from '../../components/exchange.tsx'
import { Notice } from '../../components/notice.tsx'
import type { Exchanged } from '../../http.ts'
import { Prediction } from '../prediction.tsx'
import { getWithToken } from '../requests.ts'
import type { LiveProps } from '../step.ts'
import { BriefLogIn, type BriefToken } from './brief-token.tsx'

const REPLIES: readonly Choice[] = [
  { value: 'neither', label: 'Both refuse it.' },
  { value: 'tolerant', label: 'Only the route with the tolerance accepts it.' },
  { value: 'both', label: 'Both accept it.' },
]

/** One token, sent to a guard without clock tolerance and to one that allows 30 seconds. */
export function Tolerance({ done }: LiveProps) {
  const [guess, setGuess] = useState<string>()
  const [brief, setBrief] = useState<BriefToken>()
  const [outcome, setOutcome] = useState<string>()
  return (
    <Prediction
      question="Predict: the token expired five seconds ago. Who accepts it?"
      choices={REPLIES}
      guess={guess}
      onGuess={setGuess}
      outcome={outcome}
    >
      <BriefLogIn brief={brief} onToken={setBrief} isReady={guess !== undefined} />
      {brief && (
        <BothRoutes
          key={brief.token}
          brief={brief}
          onDifference={() => {
            setOutcome('tolerant')
            done()
          }}
        />
      )}
    </Prediction>
  )
}

function BothRoutes({ brief, onDifference }: { brief: BriefToken; onDifference: () => void }) {
  const [replies, setReplies] = useState<readonly [strict: Exchanged, tolerant: Exchanged]>()
  const sendToBoth = async () => {
    const [strict, tolerant] = await Promise.all([
      getWithToken('/learn/api/brief', brief.token),
      getWithToken('/learn/api/brief-tolerant', brief.token),
    ])
    setReplies([strict, tolerant])
    if (strict.received?.body?.code === 'token_expired' && tolerant.received?.status === 200) onDifference()
  }
  return (
    <>
      <div class="row">
        <button type="button" onClick={sendToBoth}>
          Send the token to both routes
        </button>
      </div>
      {replies && (
        <>
          <div aria-live="polite">
            <Notice>{comparison(replies)}</Notice>
          </div>
          <p class="caption">No tolerance</p>
          <Exchange exchange={replies[0]} />
          <p class="caption">A tolerance of 30 seconds</p>
          <Exchange exchange={replies[1]} />
        </>
      )}
    </>
  )
}

function comparison([strict, tolerant]: readonly [Exchanged, Exchanged]): string {
  if (strict.received === undefined || tolerant.received === undefined) return 'No reply arrived.'
  if (strict.received.status === 200)
    return 'Both accept it, since it has not expired. Send it again when the countdown is over.'
  return tolerant.received.status === 200
    ? 'The same token at the same time: one route refuses it, the other accepts it.'
    : 'Both refuse it, since it expired more than 30 seconds ago. Get a new one.'
}
