import type { Row } from './verdict.ts'

/** What was tried, what was expected, and what the code of the reader did. */
export function Results({ rows, tried }: { rows: readonly Row[]; tried: string }) {
  return (
    <table class="results">
      <thead>
        <tr>
          <th scope="col">{tried}</th>
          <th scope="col">Expected</th>
          <th scope="col">Your code</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, shown, expected, verdict }) => (
          <tr key={name}>
            <th scope="row">
              {shown === '' ? (
                name
              ) : (
                <details>
                  <summary>{name}</summary>
                  <code>{shown}</code>
                </details>
              )}
            </th>
            <td data-column="Expected">{expected}</td>
            <td data-column="Your code">
              <Judged verdict={verdict} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Judged({ verdict }: { verdict: Row['verdict'] }) {
  if (verdict === undefined) return <>was not tried</>
  const { right, words } = verdict
  if (right === undefined) return <>Does not count: {words}</>
  return (
    <>
      <span class={`status ${right ? 'good' : 'bad'}`}>{right ? '✓ Right:' : '✗ Wrong:'}</span> {words}
    </>
  )
}
