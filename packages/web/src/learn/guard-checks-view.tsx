import type { Received } from '../http.ts'
import { type CheckResult, resultsOfChecks } from './guard-checks.ts'

const MARKS: Readonly<Record<CheckResult, string>> = { passed: '✓', refused: '✗', 'not reached': '·' }

/** The checks of the guard, and which of them refused a request. */
export function GuardChecks({ reply }: { reply: Received }) {
  const code: string | undefined = reply.status === 200 ? undefined : reply.body?.code
  const results = reply.status !== 200 && code === undefined ? undefined : resultsOfChecks(code)
  if (results === undefined) return null
  return (
    <>
      <p class="caption">The checks of the guard, in their order</p>
      <ol class="guard-checks">
        {results.map(({ name, question, result }) => (
          <li key={name} data-result={result}>
            <span aria-hidden="true">{MARKS[result]}</span>
            <span>
              <strong>{name}</strong>: {result}
              {result === 'refused' && (
                <>
                  {' '}
                  with <code>{code}</code>
                </>
              )}
              <br />
              <span class="hint">{question}</span>
            </span>
          </li>
        ))}
      </ol>
    </>
  )
}
