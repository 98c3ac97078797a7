import { useId, useState } from 'preact/hooks'
import { Code, CopyButton } from '../components/code.tsx'
import { TokenView } from '../components/token-view.tsx'
import { browserAlgorithm } from '../token/algorithms.ts'
import { encodeBase64url } from '../token/base64url.ts'
import { judgeSecret } from '../token/secrets.ts'
import { generateKey, SIGNING_ALGORITHMS } from '../token/sign.ts'
import { needsSecret, type SignDraft, type Signed, signDraft } from './sign-draft.ts'

interface DraftProps {
  readonly draft: SignDraft
  /** Changes some of it. */
  readonly onDraft: (change: Partial<SignDraft>) => void
}

/** A form that signs a token with a key of this page. */
export function SignForm({
  draft,
  onDraft,
  signed,
  onSigned,
  onOpen,
}: DraftProps & {
  signed: Signed | undefined
  onSigned: (signed: Signed | undefined) => void
  /** Called with the token that the reader wants to decode. */
  onOpen: (signed: Signed) => void
}) {
  const [fault, setFault] = useState('')
  const submit = async (event: Event) => {
    event.preventDefault()
    const result = await signDraft(draft, Date.now() / 1000)
    setFault('fault' in result ? result.fault : '')
    if ('fault' in result) return onSigned(undefined)
    if (!needsSecret(draft.alg)) onDraft({ key: result.key })
    onSigned(result)
  }
  return (
    <div class="split">
      <form onSubmit={submit} autocomplete="off">
        <KeyFields draft={draft} onDraft={onDraft} />
        <ClaimFields draft={draft} onDraft={onDraft} />
        <button type="submit">Sign</button>
      </form>
      <div role="status">
        {fault !== '' && <p class="status bad">{fault}</p>}
        {signed !== undefined && <Result signed={signed} onOpen={onOpen} />}
      </div>
    </div>
  )
}

function KeyFields({ draft, onDraft }: DraftProps) {
  const { alg, secret } = draft
  const generate = () => {
    const octets = crypto.getRandomValues(new Uint8Array(browserAlgorithm(alg)?.secretLength ?? 32))
    onDraft({ secret: encodeBase64url(octets) })
  }
  const renew = async () => onDraft({ key: await generateKey(alg) })
  const weakness = secret === '' ? [] : judgeSecret(new TextEncoder().encode(secret), alg)
  return (
    <>
      <div class="field">
        <label for="sign-alg">Algorithm</label>
        <select
          id="sign-alg"
          value={alg}
          onChange={(event) => onDraft({ alg: event.currentTarget.value as SignDraft['alg'] })}
        >
          {SIGNING_ALGORITHMS.map((name) => (
            <option key={name} value={name}>
              {name}: {browserAlgorithm(name)?.title}
            </option>
          ))}
        </select>
      </div>
      {needsSecret(alg) ? (
        <>
          <TextField label="Secret" value={secret} onValue={(value) => onDraft({ secret: value })} />
          {weakness.map(({ message }) => (
            <p key={message} class="hint">
              {message}
            </p>
          ))}
          <div class="row">
            <button type="button" class="secondary small" onClick={generate}>
              Generate a secret
            </button>
          </div>
        </>
      ) : (
        <div class="row">
          <p class="hint">
            The key pair is generated in this page, and forgotten when you leave it.
            {draft.key?.alg === alg && ` Its kid: ${draft.key.kid}`}
          </p>
          {draft.key?.alg === alg && (
            <button type="button" class="secondary small" onClick={renew}>
              Generate a new key
            </button>
          )}
        </div>
      )}
    </>
  )
}

const LIFETIMES: readonly [seconds: string, label: string][] = [
  ['60', '1 minute'],
  ['900', '15 minutes'],
  ['3600', '1 hour'],
  ['86400', '1 day'],
  ['2592000', '30 days'],
  ['-60', 'expired a minute ago'],
  ['', 'no exp: it never expires'],
]

const TYPES: readonly [typ: string, label: string][] = [
  ['at+jwt', 'at+jwt: an access token'],
  ['JWT', 'JWT: any token'],
  ['', 'no typ'],
]

function ClaimFields({ draft, onDraft }: DraftProps) {
  return (
    <>
      <Choice label="Type (typ)" value={draft.typ} options={TYPES} onValue={(typ) => onDraft({ typ })} />
      <TextField label="Issuer (iss)" value={draft.iss} onValue={(iss) => onDraft({ iss })} />
      <TextField label="Subject (sub)" value={draft.sub} onValue={(sub) => onDraft({ sub })} />
      <TextField label="Audience (aud)" value={draft.aud} onValue={(aud) => onDraft({ aud })} />
      <Choice
        label="Lifetime (exp)"
        value={draft.lifetime}
        options={LIFETIMES}
        onValue={(lifetime) => onDraft({ lifetime })}
      />
      <div class="field">
        <label for="sign-claims">Further claims, as JSON</label>
        <textarea
          id="sign-claims"
          value={draft.claims}
          rows={4}
          spellcheck={false}
          onInput={(event) => onDraft({ claims: event.currentTarget.value })}
        />
      </div>
    </>
  )
}

function TextField({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="mono"
        value={value}
        spellcheck={false}
        autocapitalize="off"
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </div>
  )
}

function Choice({
  label,
  value,
  options,
  onValue,
}: {
  label: string
  value: string
  options: readonly (readonly [value: string, label: string])[]
  onValue: (value: string) => void
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

function Result({ signed, onOpen }: { signed: Signed; onOpen: (signed: Signed) => void }) {
  const { token, key } = signed
  return (
    <>
      <h2>Signed</h2>
      <TokenView token={token} />
      <div class="row">
        <button type="button" onClick={() => onOpen(signed)}>
          Open in the decoder
        </button>
        <CopyButton text={token} label="the token" />
      </div>
      {key.jwk.kty !== 'oct' && (
        <>
          <h3>The public key, to verify with</h3>
          <Code text={JSON.stringify(key.jwk, undefined, 2)} label="the public key" language="json" />
        </>
      )}
    </>
  )
}
