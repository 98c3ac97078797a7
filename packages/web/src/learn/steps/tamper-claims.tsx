import { useId, useState } from 'preact/hooks'
import { Notice } from '../../components/notice.tsx'
import { TokenView } from '../../components/token-view.tsx'
import type { JsonObject } from '../../token/decode.ts'
import { AdaLogIn } from '../ada-log-in.tsx'
import { useAdaToken } from '../ada-token.ts'
import type { LiveProps } from '../step.ts'
import { isSameUser, parseObject, readToken, withPayload } from './forgeries.ts'
import { Attempt } from './tamper-attempt.tsx'

/** The payload of a real token in an editor. */
export function ChangedClaims({ done }: LiveProps) {
  const { token } = useAdaToken()
  return (
    <>
      <AdaLogIn />
      {token !== undefined && <Editor key={token} token={token} done={done} />}
    </>
  )
}

function Editor({ token, done }: { token: string; done: () => void }) {
  const id = useId()
  const { payload: original } = readToken(token)
  const [text, setText] = useState(() => pretty(original))
  const payload = parseObject(text)
  const isSame = payload !== undefined && isSameUser(payload, original)
  const change = (claims: JsonObject) => setText(pretty({ ...(payload ?? original), ...claims }))
  return (
    <Attempt
      button="Send the changed token"
      isReady={payload !== undefined}
      showsToken={false}
      forge={() => withPayload(token, payload ?? original)}
      onCode={(code) => {
        if (code === 'token_signature_invalid' && !isSame) done()
      }}
    >
      <div class="field">
        <label for={id}>Payload of the token</label>
        <textarea
          id={id}
          class="tall"
          spellcheck={false}
          value={text}
          aria-describedby={`${id}-problem`}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p class="hint" id={`${id}-problem`} aria-live="polite">
          {payload === undefined && 'This is not a JSON object yet.'}
          {isSame && (
            <>
              <code>sub</code> and <code>roles</code> are still as the server wrote them.
            </>
          )}
        </p>
      </div>
      <div class="row">
        <button type="button" class="secondary" onClick={() => change({ sub: 'grace' })}>
          Change sub to grace
        </button>
        <button type="button" class="secondary" onClick={() => change({ roles: ['student', 'teacher'] })}>
          Add the role teacher
        </button>
        <button type="button" class="secondary" onClick={() => setText(pretty(original))}>
          Restore the payload
        </button>
      </div>
      {payload === undefined ? (
        <Notice>The token appears here when the payload is a JSON object.</Notice>
      ) : (
        <TokenView token={withPayload(token, payload)} active={isSame ? undefined : 1} />
      )}
    </Attempt>
  )
}

function pretty(value: JsonObject): string {
  return JSON.stringify(value, undefined, 2)
}
