import { CodeJar } from 'codejar'
import { useEffect, useRef } from 'preact/hooks'
import { highlight } from './highlight.ts'

/** An editor for JavaScript. Tab leaves it; a new line is indented like the line before. */
export function Editor({
  label,
  initial,
  onChange,
}: {
  label: string
  initial: string
  onChange: (code: string) => void
}) {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const editor = element.current
    if (editor === null) return
    let uncolour = () => {}
    const colour = () => {
      uncolour()
      uncolour = highlight(editor)
    }
    const jar = CodeJar(editor, colour, { tab: '  ', catchTab: false, addClosing: false })
    jar.updateCode(initial)
    jar.onUpdate(onChange)
    // Speech input, drag and drop, and spelling tools change the text without the keyboard.
    const update = () => {
      colour()
      onChange(jar.toString())
    }
    editor.addEventListener('input', update)
    return () => {
      editor.removeEventListener('input', update)
      jar.destroy()
      uncolour()
    }
  }, [])
  return <div class="editor" ref={element} role="textbox" aria-multiline="true" aria-label={label} tabIndex={0} />
}
