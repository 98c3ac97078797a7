import { shownParts } from '../token/extract.ts'

/** The names of the three parts of a token. */
export const PARTS = ['header', 'payload', 'signature'] as const

/** The names of the five parts of an encrypted token (RFC 7516 §7.1). */
const ENCRYPTED_PARTS = [
  'header',
  'encrypted key',
  'initialisation vector',
  'ciphertext',
  'authentication tag',
] as const

/** A token with its parts in colours. Each part has a name for screen readers. */
export function TokenView({
  token,
  active,
  onActive,
  onChoose,
}: {
  token: string
  /** The index of the part to emphasise. */
  active?: number | undefined
  /** Called when the pointer or the focus enters a part, and with undefined when it leaves. */
  onActive?: (part: number | undefined) => void
  /** Makes each part a button. Called with the index of the part that was pressed. */
  onChoose?: (part: number) => void
}) {
  const parts = shownParts(token)
  const names: readonly string[] = parts.length === 5 ? ENCRYPTED_PARTS : PARTS
  return (
    <div class="token" onPointerLeave={() => onActive?.(undefined)}>
      {parts.map((part, index) => (
        <span key={index}>
          {index > 0 && '.'}
          {/* biome-ignore lint/a11y/noStaticElementInteractions: with a role wherever it can be pressed */}
          <span
            class={`part-${Math.min(index + 1, 3)}`}
            data-active={active === index}
            title={names[index]}
            onPointerEnter={() => onActive?.(index)}
            onFocus={() => onActive?.(index)}
            onBlur={() => onActive?.(undefined)}
            {...(onChoose !== undefined && part !== '' && asButton(() => onChoose(index)))}
          >
            {onChoose === undefined ? part : <Named name={names[index]} part={part} />}
          </span>
        </span>
      ))}
    </div>
  )
}

/** A screen reader says what a part is, instead of spelling it. */
function Named({ name = 'part', part }: { name: string | undefined; part: string }) {
  return (
    <>
      <span class="visually-hidden">
        {name}, {part.length} characters: show it
      </span>
      <span aria-hidden="true">{part}</span>
    </>
  )
}

/** Not a `<button>`: its text would not flow together with that of the other parts. */
function asButton(press: () => void) {
  return {
    role: 'button' as const,
    tabIndex: 0,
    onClick: press,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      press()
    },
  }
}
