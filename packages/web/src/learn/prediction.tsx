import type { ComponentChildren } from 'preact'
import { type Choice, ChooseOne } from '../components/choices.tsx'
import { Notice } from '../components/notice.tsx'

/**
 * What the reader expects, asked before a request, and compared with what happened after it.
 * From then on it cannot be changed.
 */
export function Prediction<Value extends string>({
  question,
  choices,
  guess,
  onGuess,
  outcome,
  children,
}: {
  question: ComponentChildren
  choices: readonly Choice<Value>[]
  guess: Value | undefined
  onGuess: (guess: Value) => void
  /** What happened; undefined before. */
  outcome: Value | undefined
  /** What sends the request. It stands before the comparison, so that it does not move away. */
  children?: ComponentChildren
}) {
  const happened = choices.find(({ value }) => value === outcome)
  return (
    <>
      <ChooseOne
        question={question}
        choices={choices}
        chosen={guess}
        onChoose={onGuess}
        disabled={happened !== undefined}
      />
      {children}
      <div aria-live="polite">
        {happened && (
          <Notice kind={guess === outcome ? 'good' : ''}>
            {guess === outcome && 'As you expected: '}
            {guess !== undefined && guess !== outcome && 'Not as you expected. '}
            {guess !== outcome && 'What happened: '}
            {happened.label}
          </Notice>
        )}
      </div>
    </>
  )
}
