/** The names of the three parts of a token. */
export const PARTS = ['header', 'payload', 'signature'] as const

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
  /** Called when a part is clicked. There must be buttons for the same, since parts have no focus. */
  onChoose?: (part: number) => void
}) {
  const parts = token.split('.')
  return (
    <div class="token" onPointerLeave={() => onActive?.(undefined)}>
      {parts.map((part, index) => (
        <span key={index}>
          {index > 0 && '.'}
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: there are buttons for the same */}
          {/* biome-ignore lint/a11y/noStaticElementInteractions: there are buttons for the same */}
          <span
            class={`part-${Math.min(index + 1, 3)}`}
            data-active={active === index}
            title={PARTS[index]}
            onPointerEnter={() => onActive?.(index)}
            onClick={() => onChoose?.(Math.min(index, 2))}
          >
            {part}
          </span>
        </span>
      ))}
    </div>
  )
}
