import type { ComponentChildren, RefObject } from 'preact'
import { useState } from 'preact/hooks'
import type { JsonObject } from '../token/decode.ts'
import { encodeEdited, formatJson } from '../token/edit.ts'
import type { MemberMeaning } from '../token/members.ts'
import { MemberList } from './member-list.tsx'

/** A part of a token and its decoded text. */
export interface PartText {
  readonly part: string
  readonly text: string
}

/** What all panels of parts have: the colour, and the link with the part of the token. */
export interface PanelProps {
  /** The index of the part. */
  readonly index: number
  readonly active: number | undefined
  readonly onActive: (part: number | undefined) => void
  readonly panelRef: RefObject<HTMLElement | null>
}

/** A block about one part of the token. */
export function Panel({
  index,
  active,
  onActive,
  panelRef,
  title,
  children,
}: PanelProps & { title: string; children: ComponentChildren }) {
  const id = `panel-${index}`
  return (
    <section
      class={`card part-panel panel-${index + 1}`}
      aria-labelledby={id}
      tabIndex={-1}
      ref={panelRef}
      data-active={active === index}
      onPointerEnter={() => onActive(index)}
      onPointerLeave={() => onActive(undefined)}
      onFocusIn={() => onActive(index)}
      onFocusOut={() => onActive(undefined)}
    >
      <h2 id={id} class={`part-${index + 1}`}>
        {title}
      </h2>
      {children}
    </section>
  )
}

/** The header or the payload: as JSON that can be edited, and member by member. */
export function JsonPanel({
  title,
  now,
  shown,
  original,
  value,
  meaningOf,
  onEdit,
  ...panel
}: PanelProps & {
  title: 'Header' | 'Payload'
  now: number
  shown: PartText
  /** Before the reader edited it. */
  original: PartText
  value: JsonObject | undefined
  meaningOf: (name: string) => MemberMeaning
  /** Called with the new part. */
  onEdit: (part: string) => void
}) {
  // What is being typed stays as it is typed, with its white space, as long as it makes this part.
  const [draft, setDraft] = useState<PartText>()
  const text = draft?.part === shown.part ? draft.text : formatJson(shown.text)
  const edit = (edited: string) => {
    const part = encodeEdited(edited, original)
    setDraft({ part, text: edited })
    onEdit(part)
  }
  return (
    <Panel {...panel} title={title}>
      <textarea
        class="json"
        aria-label={`${title} as JSON. A change changes the token.`}
        value={text}
        rows={Math.min(20, Math.max(3, text.split('\n').length))}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={(event) => edit(event.currentTarget.value)}
      />
      {value !== undefined && <MemberList value={value} meaningOf={meaningOf} now={now} />}
    </Panel>
  )
}
