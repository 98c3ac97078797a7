import { useId, useState } from 'preact/hooks'
import { Code } from '../../components/code.tsx'
import { Notice } from '../../components/notice.tsx'
import { TokenView } from '../../components/token-view.tsx'
import { encodeBase64url } from '../../token/base64url.ts'
import type { JsonObject } from '../../token/decode.ts'
import { importSecret, signToken, verifySignature } from '../../token/sign.ts'
import type { LiveProps } from '../step.ts'
import { isSameUser, parseObject, readToken } from './forgeries.ts'

/** What the issuer signs for Ada. */
const ADA: JsonObject = { sub: 'ada', roles: ['student'] }

/** What the service found out about a token. */
interface Answer {
  readonly token: string
  readonly isAccepted: boolean
}

function randomSecret(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** A service that verifies with a secret, and a form that signs with it. */
export function SharedSecret({ done }: LiveProps) {
  const [known] = useState(randomSecret)
  const [secret, setSecret] = useState(known)
  const [claims, setClaims] = useState(JSON.stringify(ADA))
  const [answer, setAnswer] = useState<Answer>()
  const id = useId()
  const payload = parseObject(claims)
  const sign = async () => {
    if (payload === undefined || secret === '') return
    const token = await signToken(payload, await importSecret(secret, 'HS256'))
    const isAccepted = await verifySignature(token, await importSecret(known, 'HS256'))
    setAnswer({ token, isAccepted })
    if (isAccepted && !isSameUser(payload, ADA)) done()
  }
  return (
    <>
      <p class="caption">The secret in the settings of the service, with which it verifies</p>
      <Code text={known} label="the secret of the service" />
      <div class="field">
        <label for={`${id}-claims`}>Claims of your token</label>
        <textarea
          id={`${id}-claims`}
          class="claims"
          spellcheck={false}
          value={claims}
          aria-invalid={payload === undefined}
          aria-describedby={`${id}-fault`}
          onInput={(event) => setClaims(event.currentTarget.value)}
        />
        <p class="hint" id={`${id}-fault`}>
          {payload === undefined ? 'This is not a JSON object.' : 'For example, give yourself the role teacher.'}
        </p>
      </div>
      <div class="field">
        <label for={`${id}-secret`}>Secret to sign with</label>
        <input
          id={`${id}-secret`}
          class="mono"
          autocomplete="off"
          spellcheck={false}
          value={secret}
          onInput={(event) => setSecret(event.currentTarget.value)}
        />
      </div>
      <div class="row">
        <button type="button" onClick={sign} disabled={payload === undefined || secret === ''}>
          Sign, and let the service verify
        </button>
      </div>
      <div aria-live="polite">{answer && <ServiceAnswer answer={answer} />}</div>
    </>
  )
}

function ServiceAnswer({ answer: { token, isAccepted } }: { answer: Answer }) {
  const { payload } = readToken(token)
  return (
    <>
      <p class="caption">Your token</p>
      <TokenView token={token} />
      <Notice kind={isAccepted ? 'good' : 'bad'}>
        <p>
          {isAccepted ? (
            <>
              The service verified the signature and accepts the token. It believes that you are{' '}
              <code>{String(payload.sub)}</code> with the roles <code>{JSON.stringify(payload.roles ?? [])}</code>.{' '}
              {isSameUser(payload, ADA) && 'These are the claims that the issuer signs, too. Change one of them.'}
            </>
          ) : (
            'The service refuses the token: the signature does not match its secret.'
          )}
        </p>
      </Notice>
    </>
  )
}
