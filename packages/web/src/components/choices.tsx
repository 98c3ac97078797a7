import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

/** One answer of several. */
export interface Choice<Value extends string = string> {
  readonly value: Value
  readonly label: ComponentChildren
}

/** A question with radio buttons. */
export function ChooseOne<Value extends string>({
  question,
  choices,
  chosen,
  onChoose,
  disabled = false,
}: {
  question: ComponentChildren
  choices: readonly Choice<Value>[]
  chosen: Value | undefined
  onChoose: (value: Value) => void
  disabled?: boolean
}) {
  const name = useId()
  return (
    <fieldset disabled={disabled}>
      <legend>{question}</legend>
      {choices.map(({ value, label }) => (
        <label key={value} class="choice">
          <input type="radio" name={name} checked={value === chosen} onChange={() => onChoose(value)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  )
}

/** A question with checkboxes. */
export function ChooseSeveral<Value extends string>({
  question,
  choices,
  chosen,
  onChoose,
}: {
  question: ComponentChildren
  choices: readonly Choice<Value>[]
  chosen: readonly Value[]
  onChoose: (chosen: readonly Value[]) => void
}) {
  const toggle = (value: Value) =>
    onChoose(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value])
  return (
    <fieldset>
      <legend>{question}</legend>
      {choices.map(({ value, label }) => (
        <label key={value} class="choice">
          <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  )
}
