import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ChooseSeveral } from '../components/choices.tsx'
import { Notice } from '../components/notice.tsx'

/** One thing in a list from which the reader picks those that match. */
export interface Candidate {
  readonly value: string
  readonly label: ComponentChildren
  readonly matches: boolean
  /** Why it matches or does not. */
  readonly reason: ComponentChildren
}

/** A question with checkboxes, checked on demand. A wrong answer costs nothing. */
export function FindAll({
  question,
  candidates,
  onFound,
}: {
  question: ComponentChildren
  candidates: readonly Candidate[]
  /** Called when exactly the matching ones are chosen. */
  onFound: () => void
}) {
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [checked, setChecked] = useState<readonly string[]>()
  const check = () => {
    setChecked(chosen)
    if (candidates.every(({ value, matches }) => matches === chosen.includes(value))) onFound()
  }
  return (
    <>
      <ChooseSeveral
        question={question}
        choices={candidates}
        chosen={chosen}
        onChoose={(values) => {
          setChosen(values)
          setChecked(undefined)
        }}
      />
      <div class="row">
        <button type="button" onClick={check} disabled={chosen.length === 0}>
          Check
        </button>
      </div>
      <div aria-live="polite">{checked && <Verdict candidates={candidates} chosen={checked} />}</div>
    </>
  )
}

function Verdict({ candidates, chosen }: { candidates: readonly Candidate[]; chosen: readonly string[] }) {
  const picked = candidates.filter(({ value }) => chosen.includes(value))
  const wrong = picked.filter(({ matches }) => !matches)
  const missing = candidates.filter(({ value, matches }) => matches && !chosen.includes(value)).length
  return (
    <Notice kind={wrong.length === 0 && missing === 0 ? 'good' : 'bad'}>
      <p>
        {wrong.length === 0 && missing === 0 && 'Right.'}
        {wrong.length > 0 && `${wrong.length} of your answers ${wrong.length === 1 ? 'is' : 'are'} wrong. `}
        {missing > 0 && `${missing} ${missing === 1 ? 'is' : 'are'} missing.`}
      </p>
      <ul>
        {picked.map(({ value, label, matches, reason }) => (
          <li key={value}>
            {label}: {matches ? 'right. ' : 'wrong. '}
            {reason}
          </li>
        ))}
      </ul>
    </Notice>
  )
}
