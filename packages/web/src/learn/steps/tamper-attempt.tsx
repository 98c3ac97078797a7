import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Choice } from '../../components/choices.tsx'
import { Exchange } from '../../components/exchange.tsx'
import { TokenView } from '../../components/token-view.tsx'
import type { Exchanged } from '../../http.ts'
import { useAdaToken } from '../ada-token.ts'
import { GuardChecks } from '../guard-checks-view.tsx'
import { Prediction } from '../prediction.tsx'
import { getWithToken } from '../requests.ts'

const REPLIES: readonly Choice[] = [
  { value: '200', label: '200: the server accepts it' },
  { value: 'token_algorithm_not_allowed', label: '401: the algorithm is not the one of the key' },
  { value: 'token_signature_invalid', label: '401: the signature does not match' },
  { value: 'insufficient_role', label: '403: the token is good, but Ada may not do this' },
]

/** Sends a forged token after the reader predicted the reply, and shows which check refused it. */
export function Attempt({
  button,
  forge,
  isReady = true,
  showsToken = true,
  onCode,
  children,
}: {
  /** What the button says. */
  button: string
  /** Makes the token to send from the one of Ada. */
  forge: (token: string) => string | Promise<string>
  /** Whether there is something to send. */
  isReady?: boolean
  /** Whether to show the token after sending it; not needed if it is among the children. */
  showsToken?: boolean
  /** Called with the code of a refusal. */
  onCode: (code: string) => void
  /** What is shown before the question. */
  children?: ComponentChildren
}) {
  const { token } = useAdaToken()
  const [guess, setGuess] = useState<string>()
  const [result, setResult] = useState<{ forged: string; exchange: Exchanged }>()
  if (token === undefined) return null
  const attempt = async () => {
    const forged = await forge(token)
    const exchange = await getWithToken('/learn/api/profile', forged)
    setResult({ forged, exchange })
    const code: unknown = exchange.received?.body?.code
    if (typeof code === 'string') onCode(code)
  }
  const reply = result?.exchange.received
  return (
    <div class="unfold">
      {children}
      <Prediction
        question="Predict the reply, then send the token"
        choices={REPLIES}
        guess={guess}
        onGuess={setGuess}
        outcome={reply && (reply.status === 200 ? '200' : reply.body?.code)}
      >
        <div class="row">
          <button type="button" onClick={attempt} disabled={!isReady || guess === undefined}>
            {button}
          </button>
        </div>
      </Prediction>
      {result && (
        <>
          {showsToken && (
            <>
              <p class="caption">The token that was sent</p>
              <TokenView token={result.forged} />
            </>
          )}
          <Exchange exchange={result.exchange} />
        </>
      )}
      {reply && <GuardChecks reply={reply} />}
    </div>
  )
}
