import { useId, useState } from 'preact/hooks'
import { Notice } from '../../components/notice.tsx'
import { TokenView } from '../../components/token-view.tsx'
import { encodeBase64url, encodeJson } from '../../token/base64url.ts'
import type { JsonObject } from '../../token/decode.ts'
import { importSecret, signToken } from '../../token/sign.ts'
import type { LiveProps } from '../step.ts'
import { parseObject } from './forgeries.ts'

const HEADER = '{ "alg": "HS256", "typ": "JWT" }'
const PAYLOAD = '{ "sub": "change me" }'

/** A token from the JSON of the reader: two parts by encoding, the third with a secret. */
export function PutTogether({ done }: LiveProps) {
  const [texts, setTexts] = useState({ header: HEADER, payload: PAYLOAD })
  const [secret, setSecret] = useState('')
  const [signed, setSigned] = useState<string>()
  const [header, payload] = [parseObject(texts.header), parseObject(texts.payload)]
  const problem = problemOf(header, payload)
  const isOwn = JSON.stringify(payload) !== JSON.stringify(parseObject(PAYLOAD))
  const write = (name: 'header' | 'payload') => (text: string) => {
    setTexts({ ...texts, [name]: text })
    setSigned(undefined)
  }
  const sign = async () => {
    if (header === undefined || payload === undefined) return
    setSigned(await signToken(payload, await importSecret(secret, 'HS256'), header))
    if (isOwn) done()
  }
  return (
    <>
      <div class="split">
        <JsonField label="Header" value={texts.header} onInput={write('header')} />
        <JsonField label="Payload" value={texts.payload} onInput={write('payload')} />
      </div>
      <div aria-live="polite">{problem !== undefined && <Notice kind="bad">{problem}</Notice>}</div>
      {header && payload && <Result header={header} payload={payload} signed={signed} />}
      <SecretField
        value={secret}
        onInput={(text) => {
          setSecret(text)
          setSigned(undefined)
        }}
      />
      <div class="row">
        <button type="button" onClick={sign} disabled={problem !== undefined || octetsOf(secret) < SECRET_LENGTH}>
          Sign
        </button>
      </div>
      <div aria-live="polite">
        {signed !== undefined && !isOwn && <Notice>Signed. Now write a payload of your own, and sign again.</Notice>}
      </div>
    </>
  )
}

function problemOf(header: JsonObject | undefined, payload: JsonObject | undefined): string | undefined {
  if (header === undefined) return 'The header is not a JSON object.'
  if (payload === undefined) return 'The payload is not a JSON object.'
  return header.alg === 'HS256' ? undefined : 'A secret signs with HS256 here, so alg in the header must be HS256.'
}

function Result({ header, payload, signed }: { header: JsonObject; payload: JsonObject; signed: string | undefined }) {
  return (
    <>
      <p>
        {signed === undefined
          ? 'Two parts, made without a key. Nothing follows the second dot yet.'
          : 'Three parts. The third was computed from the first two with your secret.'}
      </p>
      <TokenView token={signed ?? `${encodeJson(header)}.${encodeJson(payload)}.`} />
    </>
  )
}

function JsonField({ label, value, onInput }: { label: string; value: string; onInput: (text: string) => void }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} spellcheck={false} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    </div>
  )
}

/** In bytes: a shorter one can be guessed (RFC 7518 §3.2). */
const SECRET_LENGTH = 32

function SecretField({ value, onInput }: { value: string; onInput: (text: string) => void }) {
  const id = useId()
  const make = () => onInput(encodeBase64url(crypto.getRandomValues(new Uint8Array(SECRET_LENGTH))))
  return (
    <div class="field">
      <label for={id}>Secret</label>
      <input
        id={id}
        class="mono"
        autocomplete="off"
        spellcheck={false}
        value={value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <p class="hint" id={`${id}-hint`}>
        At least {SECRET_LENGTH} bytes, or somebody can guess it by trying. You have {octetsOf(value)}.
      </p>
      <button type="button" class="secondary small" onClick={make}>
        Make a random secret
      </button>
    </div>
  )
}

function octetsOf(text: string): number {
  return new TextEncoder().encode(text).length
}
