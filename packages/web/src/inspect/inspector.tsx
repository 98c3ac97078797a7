import { useCallback, useMemo, useState } from 'preact/hooks'
import { Tabs } from '../components/tabs.tsx'
import { decodeToken } from '../token/decode.ts'
import { Decoder } from './decoder.tsx'
import { type KeyEntry, NO_KEY } from './evidence.ts'
import { NEW_DRAFT, type SignDraft, type Signed, signDraft } from './sign-draft.ts'
import { SignForm } from './sign-form.tsx'
import { TokenField } from './token-field.tsx'

/** Decodes, checks and signs tokens. Nothing leaves the page, and nothing is stored. */
export function Inspector() {
  const [mode, setMode] = useState(0)
  const [text, setText] = useState('')
  const [original, setOriginal] = useState('')
  const [keyEntry, setKeyEntry] = useState(NO_KEY)
  const [draft, setDraft] = useState(NEW_DRAFT)
  const [signed, setSigned] = useState<Signed>()
  const decoded = useMemo(() => decodeToken(text), [text])
  const enter = useCallback((entered: string) => {
    setText(entered)
    setOriginal(decodeToken(entered).token)
    setMode(0)
  }, [])
  const open = ({ token, key }: Signed) => {
    enter(token)
    const isSecret = key.jwk.kty === 'oct'
    // The button that was pressed may be gone.
    document.getElementById('main')?.focus({ preventScroll: true })
    scrollTo(0, 0)
    setKeyEntry(isSecret ? secretEntry(key.jwk.k) : { ...NO_KEY, source: 'public', publicKey: showJwk(key.jwk) })
  }
  const example = async () => {
    const result = await signDraft(NEW_DRAFT, Date.now() / 1000)
    if ('fault' in result) throw new Error(result.fault)
    open(result)
  }
  const clear = () => {
    enter('')
    setKeyEntry(NO_KEY)
    setDraft(NEW_DRAFT)
    setSigned(undefined)
  }
  const decode = (
    <>
      <TokenField text={text} token={decoded.token} onText={enter} onExample={example} onClear={clear} />
      {decoded.token !== '' && (
        <Decoder
          {...{ decoded, original, keyEntry, onToken: setText }}
          onKeyEntry={(change: Partial<KeyEntry>) => setKeyEntry((before) => ({ ...before, ...change }))}
        />
      )}
    </>
  )
  const onDraft = (change: Partial<SignDraft>) => setDraft((before) => ({ ...before, ...change }))
  const sign = <SignForm {...{ draft, onDraft, signed, onSigned: setSigned, onOpen: open }} />
  return (
    <>
      <h1>Token inspector</h1>
      <p>
        Paste a JSON Web Token, or drop a file with one here. Everything happens in this page: tokens and keys are not
        sent anywhere, and not stored.
      </p>
      <Tabs
        label="What to do"
        chosen={mode}
        onChoose={setMode}
        tabs={[
          { name: 'Decode', content: decode },
          { name: 'Sign', content: sign },
        ]}
      />
    </>
  )
}

function secretEntry(k = ''): KeyEntry {
  return { ...NO_KEY, source: 'secret', secret: k, encoding: 'base64' }
}

function showJwk(jwk: object): string {
  return JSON.stringify(jwk, undefined, 2)
}
