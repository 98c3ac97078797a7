import type { Fault } from '../token/fault.ts'
import type { Finding } from '../token/finding.ts'

const LABELS: Readonly<Record<Finding['kind'], string>> = {
  refused: 'Refused',
  mistake: 'Mistake',
  note: 'Note',
}

/** What is wrong with a token, in words. */
export function FindingList({ faults, findings }: { faults: readonly Fault[]; findings: readonly Finding[] }) {
  const isClean = faults.length === 0 && findings.length === 0
  return (
    <section class="card" aria-labelledby="findings">
      <h2 id="findings">Findings</h2>
      {isClean ? (
        <p>Nothing found. Whether the signature is valid is another question.</p>
      ) : (
        <ul class="findings">
          {faults.map(({ name, part, message }) => (
            <li key={`${name} ${part}`} data-kind="refused">
              <strong>Format</strong> <span>{message}</span>
            </li>
          ))}
          {findings.map(({ kind, message, code }) => (
            <li key={message} data-kind={kind}>
              <strong>{LABELS[kind]}</strong>{' '}
              <span>
                {message} {code !== undefined && <code>{code}</code>}
              </span>
            </li>
          ))}
        </ul>
      )}
      {findings.length > 0 && (
        <p class="hint">
          Refused: <code>verify</code> of Sealwax does not accept the token, whatever the key. Mistake: a token should
          not be issued like this.
        </p>
      )}
    </section>
  )
}
