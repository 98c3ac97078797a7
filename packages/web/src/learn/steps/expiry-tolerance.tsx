import { useState } from 'preact/hooks'
import type { Choice } from '../../components/choices.tsx'
import { Exchange } from '../../components/exchange.tsx'
import { Notice } from '../../components/notice.tsx'
import type { Exchanged } from '../../http.ts'
import { Prediction } from '../prediction.tsx'
import type { LiveProps } from '../step.ts'
import { BriefLogIn, type BriefToken, sendBrief } from './brief-token.tsx'

const REPLIES: readonly Choice[] = [
  { value: 'neither', label: 'Both refuse it.' },
  { value: 'tolerant', label: 'Only the route with the tolerance accepts it.' },
  { value: 'both', label: 'Both accept it.' },
]

/** One token, sent to a guard without clock tolerance and to one that allows 30 seconds. */
export function Tolerance({ done }: LiveProps) {
  const [guess, setGuess] = useState<string>()
  const [brief, setBrief] = useState<BriefToken>()
  const [replies, setReplies] = useState<readonly [strict: Exchanged, tolerant: Exchanged]>()
  const isDifferent = replies?.[0].received?.body?.code === 'token_expired' && replies[1].received?.status === 200
  const sendToBoth = async (current: BriefToken) => {
    const all = await Promise.all([
      sendBrief('/learn/api/brief', current),
      sendBrief('/learn/api/brief-tolerant', current),
    ])
    setReplies(all)
    if (all[0].received?.body?.code === 'token_expired' && all[1].received?.status === 200) done()
  }
  const begin = (token: BriefToken) => {
    setBrief(token)
    setReplies(undefined)
  }
  return (
    <>
      <Prediction
        question="Predict: the token expired five seconds ago. Who accepts it?"
        choices={REPLIES}
        guess={guess}
        onGuess={setGuess}
        outcome={isDifferent ? 'tolerant' : undefined}
      />
      <BriefLogIn brief={brief} onToken={begin} isReady={guess !== undefined} />
      {brief && (
        <div class="row">
          <button type="button" onClick={() => sendToBoth(brief)}>
            Send the token to both routes
          </button>
        </div>
      )}
      <div aria-live="polite">
        {replies && !isDifferent && (
          <Notice>
            {replies[0].received?.status === 200
              ? 'Both accept it, since it has not expired. Send it again when the countdown is over.'
              : 'Both refuse it. If it expired more than 30 seconds ago, get a new one.'}
          </Notice>
        )}
      </div>
      {replies && (
        <>
          <h4>No tolerance</h4>
          <Exchange exchange={replies[0]} />
          <h4>A tolerance of 30 seconds</h4>
          <Exchange exchange={replies[1]} />
        </>
      )}
    </>
  )
}
