import { useEffect, useState } from 'preact/hooks'

/** A piece of code with a button that copies it. */
export function Code({ text, label, language }: { text: string; label: string; language?: string }) {
  return (
    // Focusable, since it may scroll.
    <div class="code" tabIndex={0} aria-label={label} role="group">
      <CopyButton text={text} label={label} />
      <pre>
        <code data-language={language}>{text}</code>
      </pre>
    </div>
  )
}

const SHOWN_MS = 2000

/** @param label what is copied, such as `the token` */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [result, setResult] = useState('')
  useEffect(() => {
    if (result === '') return
    const timer = setTimeout(() => setResult(''), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [result])
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setResult('Copied'),
      () => setResult('Not allowed'),
    )
  return (
    <button type="button" class="secondary small" onClick={copy}>
      <span aria-live="polite">{result === '' ? 'Copy' : result}</span>
      <span class="visually-hidden"> {label}</span>
    </button>
  )
}
