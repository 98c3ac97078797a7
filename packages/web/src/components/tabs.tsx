import type { ComponentChildren } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'

/** One tab and its panel. */
export interface Tab {
  readonly name: string
  readonly content: ComponentChildren
}

/** Tabs as the ARIA Authoring Practices describe them: arrow keys choose, Tab leaves the list. */
export function Tabs({
  label,
  tabs,
  chosen: given,
  onChoose,
}: {
  label: string
  tabs: readonly Tab[]
  /** The index of the open tab, if the page decides. */
  chosen?: number
  /** Called when the reader opens a tab. */
  onChoose?: (index: number) => void
}) {
  const [own, setOwn] = useState(0)
  const chosen = given ?? own
  const setChosen = onChoose ?? setOwn
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const choose = (index: number) => {
    setChosen(index)
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[index]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const last = tabs.length - 1
    const target = {
      ArrowRight: chosen === last ? 0 : chosen + 1,
      ArrowLeft: chosen === 0 ? last : chosen - 1,
      Home: 0,
      End: last,
    }[event.key]
    if (target === undefined) return
    event.preventDefault()
    choose(target)
  }
  return (
    <div>
      <div role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ name }, index) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-tab-${index}`}
            aria-selected={index === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => setChosen(index)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-tab-${chosen}`}>
        {tabs[chosen]?.content}
      </div>
    </div>
  )
}
