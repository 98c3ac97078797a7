import { useState } from 'preact/hooks'
import { TokenView } from '../components/token-view.tsx'

/** Decodes a token that the reader pastes. Nothing leaves the page. */
export function Inspector() {
  const [text, setText] = useState('')
  const [active, setActive] = useState<number>()
  return (
    <>
      <h1>Token inspector</h1>
      <p>Paste a JWT. It is decoded and checked in this page; nothing is sent anywhere.</p>
      <div class="field">
        <label for="token">Token</label>
        <textarea id="token" value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </div>
      {text !== '' && <TokenView token={text} active={active} onActive={setActive} />}
    </>
  )
}
