import { useId } from 'preact/hooks'
import { findPieces, type Kind } from './highlight.ts'

/**
 * An editor for JavaScript: a text area, over a layer with the same text in colours. Tab leaves it;
 * a new line is indented like the line before.
 */
export function Editor({ label, code, onChange }: { label: string; code: string; onChange: (code: string) => void }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="editor">
        <pre aria-hidden="true">
          {coloured(code)}
          {/* A line break at the end of a pre takes no space, but the text area needs it. */}
          {'\n'}
        </pre>
        <textarea
          id={id}
          value={code}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          onInput={(event) => onChange(event.currentTarget.value)}
          onKeyDown={indent}
        />
      </div>
    </div>
  )
}

function indent(event: KeyboardEvent & { readonly currentTarget: HTMLTextAreaElement }): void {
  if (event.key !== 'Enter' || event.isComposing || event.shiftKey || event.ctrlKey || event.metaKey) return
  const { value, selectionStart } = event.currentTarget
  const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart)
  const [spaces = ''] = /^ */.exec(line) ?? []
  const text = `\n${spaces}${/[{([]$/.test(line) ? '  ' : ''}`
  // Deprecated, but the only way to change the text so that the reader can undo it.
  if (document.execCommand('insertText', false, text)) event.preventDefault()
}

function coloured(code: string) {
  const pieces = findPieces(code)
  return pieces
    .flatMap(({ kind, start, end }, index) => [
      code.slice(pieces[index - 1]?.end ?? 0, start),
      <span key={start} class={CLASSES[kind]}>
        {code.slice(start, end)}
      </span>,
    ])
    .concat(code.slice(pieces.at(-1)?.end ?? 0))
}

const CLASSES: Readonly<Record<Kind, string>> = {
  comment: 'code-comment',
  string: 'code-string',
  keyword: 'code-keyword',
  number: 'code-number',
}
