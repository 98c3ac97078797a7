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
            <td>{expected}</td>
            <td>
              {verdict === undefined ? (
                'was not tried'
              ) : (
                <>
                  <span class={`status ${verdict.right ? 'good' : 'bad'}`}>
                    {verdict.right ? '✓ Right:' : '✗ Wrong:'}
                  </span>{' '}
                  {verdict.words}
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
