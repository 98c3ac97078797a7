import { useState } from 'preact/hooks'
import type { Choice } from '../../components/choices.tsx'
import { Code } from '../../components/code.tsx'
import { Exchange } from '../../components/exchange.tsx'
import { TokenView } from '../../components/token-view.tsx'
import type { Exchanged } from '../../http.ts'
import { type Candidate, FindAll } from '../find-all.tsx'
import { Prediction } from '../prediction.tsx'
import { getWithToken } from '../requests.ts'
import type { LiveProps, Step } from '../step.ts'
import { readToken } from './forgeries.ts'
import { STRANGER } from './sealed-token.ts'

const SEEN: readonly Choice[] = [
  { value: 'nothing', label: 'Nothing: decoding needs the key.' },
  { value: 'bytes', label: 'Random bytes: the payload is encrypted.' },
  { value: 'claims', label: 'All claims, as readable JSON.' },
]

function ReadIt({ done }: LiveProps) {
  const [guess, setGuess] = useState<string>()
  const [isDecoded, setDecoded] = useState(false)
  const [exchange, setExchange] = useState<Exchanged>()
  const code: unknown = exchange?.received?.body?.code
  const decode = () => {
    setDecoded(true)
    if (code === 'token_key_unknown') done()
  }
  const sendIt = async () => {
    const result = await getWithToken('/learn/api/profile', STRANGER)
    setExchange(result)
    if (isDecoded && result.received?.body?.code === 'token_key_unknown') done()
  }
  return (
    <>
      <TokenView token={STRANGER} />
      <Prediction
        question="Predict: what do you see when you decode the payload without the key?"
        choices={SEEN}
        guess={guess}
        onGuess={setGuess}
        outcome={isDecoded ? 'claims' : undefined}
      >
        <div class="row">
          <button type="button" onClick={decode} disabled={guess === undefined}>
            Decode the payload
          </button>
          <button type="button" class="secondary" onClick={sendIt}>
            Send the token to this server
          </button>
        </div>
      </Prediction>
      {isDecoded && <Payload />}
      {exchange && <Exchange exchange={exchange} />}
    </>
  )
}

function Payload() {
  return <Code label="the payload" text={JSON.stringify(readToken(STRANGER).payload, undefined, 2)} />
}

const CLAIMS: readonly Candidate[] = [
  {
    value: 'sub',
    matches: false,
    reason: 'The API has to know whose token it is. An identifier is better here than a name or an address.',
  },
  { value: 'aud', matches: false, reason: 'It says for which API the token is, and that is no secret.' },
  {
    value: 'password_hash',
    matches: true,
    reason: 'Whoever reads it can try passwords against it at home, millions of them.',
  },
  { value: 'roles', matches: false, reason: 'An API may decide by them, and the signature protects them.' },
  { value: 'card', matches: true, reason: 'Whoever finds the token can pay with it.' },
  { value: 'exp', matches: false, reason: 'Without it, the token would never expire.' },
  { value: 'database', matches: true, reason: 'It has the password of the server’s own database.' },
].map((claim) => ({ ...claim, label: <code>{claim.value}</code> }))

function FindSecrets({ done }: LiveProps) {
  return (
    <>
      <Payload />
      <FindAll question="Which claims must not be in a token?" candidates={CLAIMS} onFound={done} />
    </>
  )
}

/** Step 2: a signature does not hide anything. */
export const sealed: Step = {
  id: 'sealed',
  title: 'Sealed, not secret',
  text: (
    <>
      <p>
        A signature is like a seal on a letter: it shows who made the token, and that nobody has changed it since. Does
        it also hide what is inside?
      </p>
      <p>
        Here is a token of an online shop. You do not have the key, and this server does not have it either. (We made it
        up, and threw the key away.)
      </p>
    </>
  ),
  tasks: [
    {
      id: 'read',
      title: 'Read the payload, and try to use the token',
      text: <p>Decode the payload first. Then send the token to this server as if it were yours.</p>,
      Live: ReadIt,
      afterwards: (
        <p>
          A signature hides nothing, and base64url is a way to write bytes, not encryption. So reading the token needs
          no key. Checking it does: the server has no key with the name <code>shop-2025</code> and refuses with{' '}
          <code>token_key_unknown</code>. The token also expired long ago, and it can still be read.
        </p>
      ),
    },
    {
      id: 'find',
      title: 'Find what must not be in it',
      text: (
        <p>
          Tokens end up in logs, in the browser’s developer tools and in bug reports. Assume that somebody reads each of
          them. Three claims of this payload do damage then.
        </p>
      ),
      Live: FindSecrets,
      afterwards: (
        <p>
          The password hash, the card and the database address. Put into a token only what an API needs to decide about
          a request: who the user is, what they may do, and until when. Everything else stays on the server, which can
          look it up by <code>sub</code>. Tokens can be encrypted (JWE, RFC 7516), but that is rarely needed if they
          hold nothing secret.
        </p>
      ),
    },
  ],
}
