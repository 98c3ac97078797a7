import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Code } from '../../components/code.tsx'
import { Notice } from '../../components/notice.tsx'
import { readStored, store } from '../../storage.ts'
import { CODE_KEY } from '../progress.ts'
import type { LiveProps } from '../step.ts'
import { Editor } from './editor.tsx'
import { Results } from './results.tsx'
import type { Row } from './verdict.ts'

/** What came of a run of the reader's code. */
export interface Result {
  readonly rows: readonly Row[]
  /** Why the run ended early, as a sentence. */
  readonly stop: string | undefined
}

/** An exercise in which the reader completes a function. */
export interface Exercise {
  /** What the reader writes: `verifier`. */
  readonly name: string
  /** The code with gaps. */
  readonly start: string
  readonly solution: string
  /** From the weakest to the strongest. */
  readonly hints: readonly Hint[]
  /** The head of the first column of the table. */
  readonly tried: string
  run(code: string): Promise<Result>
}

/** A hint that the reader unfolds. */
export interface Hint {
  readonly title: string
  readonly text: ComponentChildren
}

/** The code sent messages of its own, which could not be read, or a file did not load. */
const FAILED: Result = { rows: [], stop: 'The run failed. Is the lesson still running?' }

/** An editor, a button that runs the code, a table of results, hints, and a solution after trying. */
export function Workbench({ exercise, done, isDone }: LiveProps & { exercise: Exercise }) {
  const { name, start, solution, hints, tried } = exercise
  const key = CODE_KEY + name
  const [code, setCode] = useState(() => readStored(key) ?? start)
  const [isRunning, setRunning] = useState(false)
  const [result, setResult] = useState<Result>()
  const change = (text: string) => {
    setCode(text)
    store(key, text)
  }
  const startOver = () => {
    change(start)
    setResult(undefined)
  }
  const run = async () => {
    if (isRunning) return
    setRunning(true)
    const found = await exercise.run(code).catch(() => FAILED)
    setResult(found)
    setRunning(false)
    if (found.stop === undefined && found.rows.every(({ verdict }) => verdict?.right)) done()
  }
  return (
    <>
      <Editor label={`The code of your ${name}`} code={code} onChange={change} />
      <div class="row">
        <button type="button" onClick={run}>
          Run my {name}
        </button>
        <button type="button" class="secondary" onClick={startOver}>
          Start over<span class="visually-hidden"> with the {name}</span>
        </button>
      </div>
      <div aria-live="polite">
        {isRunning && <p class="hint">Running…</p>}
        {!isRunning && result && <Summary {...result} />}
      </div>
      {!isRunning && result?.rows.some(({ verdict }) => verdict !== undefined) && (
        <Results rows={result.rows} tried={tried} />
      )}
      <Hints hints={hints} />
      {(result !== undefined || isDone) && (
        <details class="fold">
          <summary>Solution</summary>
          <Code text={solution} label={`the solution of the ${name}`} />
        </details>
      )}
    </>
  )
}

function Summary({ rows, stop }: Result) {
  const right = rows.filter(({ verdict }) => verdict?.right).length
  return (
    <Notice kind={right === rows.length ? 'good' : 'bad'}>
      {stop === undefined ? (
        <p>{right === rows.length ? `All ${right} are as expected.` : `${right} of ${rows.length} are as expected.`}</p>
      ) : (
        <p>{stop}</p>
      )}
    </Notice>
  )
}

/** A hint appears when the one before it was unfolded. */
function Hints({ hints }: { hints: readonly Hint[] }) {
  const [opened, setOpened] = useState(0)
  return (
    <>
      {hints.slice(0, opened + 1).map(({ title, text }, index) => (
        <details
          key={title}
          class="fold"
          onToggle={(event) => event.currentTarget.open && setOpened(Math.max(opened, index + 1))}
        >
          <summary>
            Hint {index + 1}: {title}
          </summary>
          {text}
        </details>
      ))}
    </>
  )
}
