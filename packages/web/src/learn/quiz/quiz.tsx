import { useRef, useState } from 'preact/hooks'
import { ChooseOne } from '../../components/choices.tsx'
import { Notice } from '../../components/notice.tsx'
import { Words } from '../../components/words.tsx'
import type { LiveProps } from '../step.ts'
import { questions } from './questions.ts'
import { type Answer, newRound, type Question, type Round, type Score, scoreOf, withAnswer } from './round.ts'

/** The round goes on when the reader comes back from another step. A reload starts a new one. */
let kept: Round | undefined

const random = (count: number) => Math.floor(Math.random() * count)

/** The questions, and the result when all are answered. */
export function Quiz({ done }: LiveProps) {
  const [round, setRound] = useState<Round>(() => kept ?? newRound(questions, random))
  const list = useRef<HTMLOListElement>(null)
  const keep = (next: Round) => {
    kept = next
    setRound(next)
  }
  const check = (question: Question, answer: Answer) => {
    const next = withAnswer(round, question, answer)
    keep(next)
    if (scoreOf(next).answered === next.questions.length) done()
  }
  const tryAgain = () => {
    keep(newRound(questions, random))
    list.current?.focus({ preventScroll: true })
    list.current?.scrollIntoView()
  }
  const score = scoreOf(round)
  const isComplete = score.answered === round.questions.length
  return (
    <>
      <ol class="quiz" tabIndex={-1} ref={list} aria-label="Questions">
        {round.questions.map((question, index) => (
          <li key={`${question.id} ${question.answers.map(({ text }) => text)}`}>
            <Asked
              question={question}
              number={index + 1}
              checked={round.checked[question.id] ?? []}
              onCheck={(answer) => check(question, answer)}
            />
          </li>
        ))}
      </ol>
      <div aria-live="polite">
        {isComplete ? (
          <Result score={score} />
        ) : (
          <p>
            {score.answered} of {round.questions.length} questions are answered.
          </p>
        )}
      </div>
      {isComplete && (
        <div class="row">
          <button type="button" onClick={tryAgain}>
            Try again, in another order
          </button>
        </div>
      )}
    </>
  )
}

function Asked({
  question,
  number,
  checked,
  onCheck,
}: {
  question: Question
  number: number
  checked: readonly Answer[]
  onCheck: (answer: Answer) => void
}) {
  const last = checked.at(-1)
  const [chosen, setChosen] = useState<Answer | undefined>(last)
  const choices = question.answers.map(({ text }) => ({ value: text, label: <Words text={text} /> }))
  return (
    <>
      <ChooseOne
        question={
          <>
            {number}. <Words text={question.text} />
          </>
        }
        choices={choices}
        chosen={chosen?.text}
        onChoose={(text) => setChosen(question.answers.find((answer) => answer.text === text))}
      />
      <div class="row">
        <button
          type="button"
          class="secondary"
          disabled={chosen === undefined}
          onClick={() => chosen !== undefined && chosen !== last && onCheck(chosen)}
        >
          Check<span class="visually-hidden"> question {number}</span>
        </button>
      </div>
      <div aria-live="polite">
        {last !== undefined && last === chosen && (
          <Notice kind={last.isRight ? 'good' : 'bad'}>
            <p>
              <strong>{last.isRight ? 'Right.' : 'Not right.'}</strong> <Words text={last.explanation} />
              {!last.isRight && ' Choose another answer, if you like.'}
            </p>
          </Notice>
        )}
      </div>
    </>
  )
}

function Result({ score: { answered, rightAtFirst, missed } }: { score: Score }) {
  return (
    <Notice kind="good">
      <p>
        <strong>
          {rightAtFirst} of {answered} right at the first try.
        </strong>
      </p>
      {missed.length > 0 && (
        <>
          <p>These were not. The steps explain them:</p>
          <ul>
            {missed.map(({ id, text, step }) => (
              <li key={id}>
                <Words text={text} />{' '}
                <a href={`#${step.id}`}>
                  Step {step.number}
                  <span class="visually-hidden"> explains: {text.replaceAll('`', '')}</span>
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </Notice>
  )
}

/** The questions with all answers and explanations. */
export function PrintedQuiz() {
  return (
    <ol class="quiz">
      {questions.map(({ id, text, answers }, index) => (
        <li key={id}>
          <h4>
            {index + 1}. <Words text={text} />
          </h4>
          <ul>
            {answers.map((answer) => (
              <li key={answer.text}>
                <strong>
                  <Words text={answer.text} />
                </strong>{' '}
                ({answer.isRight ? 'right' : 'wrong'}). <Words text={answer.explanation} />
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ol>
  )
}
