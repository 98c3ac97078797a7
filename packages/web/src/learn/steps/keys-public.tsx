import { useState } from 'preact/hooks'
import { Notice } from '../../components/notice.tsx'
import { send } from '../../http.ts'
import { AdaLogIn } from '../ada-log-in.tsx'
import { useAdaToken } from '../ada-token.ts'
import { useOneAtATime } from '../one-at-a-time.ts'
import { Prediction } from '../prediction.tsx'
import { getWithToken } from '../requests.ts'
import type { LiveProps } from '../step.ts'
import { Story, useStory } from '../story.tsx'
import { readToken } from './forgeries.ts'
import { findKey, type KeySet, type PublicJwk, tryToSignWith, verifyWith } from './public-keys.ts'

const KEYS = { method: 'GET', path: '/.well-known/jwks.json' } as const
const METADATA = { method: 'GET', path: '/.well-known/oauth-authorization-server' } as const

/** Verifies a real token with the public key of the server, and tries to sign with it. */
export function PublicKey({ done }: LiveProps) {
  const { token } = useAdaToken()
  const { chapters, tell, restart } = useStory()
  const [key, setKey] = useState<PublicJwk>()
  const [isVerified, setIsVerified] = useState<boolean>()
  const [signing, setSigning] = useState<{ readonly error: string | undefined }>()
  const run = useOneAtATime()
  const verify = run(async () => {
    if (token === undefined) return
    restart()
    const keys = await tell('Fetch the public keys', send(KEYS))
    const found = keys?.status === 200 ? findKey(keys.body as KeySet, token) : undefined
    setKey(found)
    const result = found !== undefined && (await verifyWith(found, token))
    setIsVerified(result)
    if (result && signing?.error !== undefined) done()
  })
  const sign = run(async () => {
    if (key === undefined) return
    const error = await tryToSignWith(key)
    setSigning({ error })
    if (error !== undefined && isVerified) done()
  })
  return (
    <>
      <AdaLogIn />
      <div class="row">
        <button type="button" {...verify} disabled={token === undefined}>
          Fetch the public keys, and verify the token
        </button>
        <button type="button" {...sign} disabled={key === undefined}>
          Sign with the public key
        </button>
      </div>
      <div aria-live="polite">
        {isVerified !== undefined && (
          <Notice kind={isVerified ? 'good' : 'bad'}>
            <p>
              {isVerified ? 'The signature of Ada’s token is right' : 'The token could not be verified'}
              {key !== undefined && (
                <>
                  , by the {key.alg} key <code>{key.kid}</code>
                </>
              )}
              .
            </p>
          </Notice>
        )}
        {signing && (
          <Notice kind="bad">
            <p>
              {signing.error === undefined ? (
                'The browser signed with it. It is not a public key.'
              ) : (
                <>
                  WebCrypto refuses to make a signing key of it: <code>{signing.error}</code>
                </>
              )}
            </p>
          </Notice>
        )}
      </div>
      <Story chapters={chapters} />
    </>
  )
}

type Needed = 'secret' | 'database' | 'address'

/** What the second service did before it accepted its first token. */
interface Seen {
  readonly isAccepted?: boolean
  readonly hasMetadata?: boolean
  readonly hasKey?: boolean
}

function useSecondService(token: string | undefined, done: () => void) {
  const { chapters, tell } = useStory()
  const [seen, setSeen] = useState<Seen>({})
  const run = useOneAtATime()
  const add = (more: Seen) => {
    const next = { ...seen, ...more }
    setSeen(next)
    if (next.isAccepted && next.hasMetadata && next.hasKey) done()
  }
  const ask = run(async () => {
    if (token === undefined) return
    const reply = await tell('Ask the second service', getWithToken('/learn/api/second-service', token))
    add({ isAccepted: reply?.status === 200 })
  })
  const fetchMetadata = run(async () => {
    const reply = await tell('Fetch the metadata', send(METADATA))
    add({ hasMetadata: typeof reply?.body?.jwks_uri === 'string' })
  })
  const fetchKeys = run(async () => {
    const reply = await tell('Fetch the keys', send(KEYS))
    const isFound = reply?.status === 200 && token !== undefined && findKey(reply.body as KeySet, token) !== undefined
    add({ hasKey: isFound })
  })
  return { chapters, seen, ask, fetchMetadata, fetchKeys }
}

/** A service that knows only the address of the issuer, and the documents that it fetched there. */
export function SecondService({ done }: LiveProps) {
  const { token } = useAdaToken()
  const { chapters, seen, ask, fetchMetadata, fetchKeys } = useSecondService(token, done)
  const [guess, setGuess] = useState<Needed>()
  return (
    <>
      <AdaLogIn />
      <Prediction
        question="What does the second service need to know about the issuer beforehand?"
        choices={[
          { value: 'secret', label: 'Its secret' },
          { value: 'database', label: 'How to reach its database' },
          { value: 'address', label: 'Its address' },
        ]}
        guess={guess}
        onGuess={setGuess}
        outcome={seen.isAccepted && seen.hasMetadata && seen.hasKey ? 'address' : undefined}
      />
      <div class="row">
        <button type="button" {...ask} disabled={token === undefined}>
          Ask the second service
        </button>
        <button type="button" class="secondary" {...fetchMetadata}>
          Fetch the metadata
        </button>
        <button type="button" class="secondary" {...fetchKeys}>
          Fetch the keys
        </button>
      </div>
      <div aria-live="polite">
        {seen.hasKey && token !== undefined && (
          <Notice kind="good">
            <p>
              The header of Ada’s token names the key <code>{String(readToken(token).header.kid)}</code>, and the set of
              keys contains it.
            </p>
          </Notice>
        )}
      </div>
      <Story chapters={chapters} />
    </>
  )
}
