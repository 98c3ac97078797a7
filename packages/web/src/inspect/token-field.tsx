import { useCallback, useRef, useState } from 'preact/hooks'
import { CopyButton } from '../components/code.tsx'
import { readTokenFile, saveTokenFile, useDroppedFile } from './token-file.ts'

/** The field for the token, and the buttons that fill, save and clear it. */
export function TokenField({
  text,
  token,
  onText,
  onExample,
  onClear,
}: {
  text: string
  /** The token in the text. */
  token: string
  onText: (text: string) => void
  onExample: () => Promise<void>
  onClear: () => void
}) {
  const [message, setMessage] = useState('')
  const picker = useRef<HTMLInputElement>(null)
  const open = useCallback(
    async (file: File) => {
      const read = await readTokenFile(file)
      if ('fault' in read) return setMessage(read.fault)
      setMessage(`${file.name} is open.`)
      onText(read.text)
    },
    [onText],
  )
  const isOver = useDroppedFile(open)
  const perform = (done: string, action: () => void) => () => {
    action()
    setMessage(done)
  }
  return (
    <section aria-labelledby="token-label" class="token-field" data-over={isOver}>
      <label id="token-label" for="token">
        Token
      </label>
      <textarea
        id="token"
        value={text}
        rows={5}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        placeholder="eyJhbGciOi…"
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <div class="row">
        <button type="button" class="secondary small" onClick={() => onExample().catch(() => setMessage(NO_CRYPTO))}>
          Example
        </button>
        <button type="button" class="secondary small" onClick={() => picker.current?.click()}>
          Open a file
        </button>
        {token !== '' && (
          <>
            <button
              type="button"
              class="secondary small"
              onClick={perform('Saved as token.jwt.', () => saveTokenFile(token))}
            >
              Save as a file
            </button>
            <CopyButton text={token} label="the token" />
          </>
        )}
        <button type="button" class="secondary small" onClick={perform('Token and keys are cleared.', onClear)}>
          Clear
        </button>
        <input
          ref={picker}
          type="file"
          hidden
          aria-label="A file with a token"
          accept=".jwt,.txt,.json,application/jwt,text/plain"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? []
            event.currentTarget.value = ''
            if (file !== undefined) void open(file)
          }}
        />
      </div>
      <p class="hint" role="status">
        {isOver ? 'Drop the file to open it.' : message}
      </p>
    </section>
  )
}

const NO_CRYPTO = 'The browser signs only on pages that came over HTTPS or from localhost.'
