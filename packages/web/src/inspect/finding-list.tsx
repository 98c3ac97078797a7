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
        <p>Nothing to object to. The findings do not say whether the signature is valid.</p>
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
      <p class="hint">
        “Refused” is what <code>verify</code> of Sealwax refuses, whatever the key. “Mistake” is what a token should not
        have been issued with.
      </p>
    </section>
  )
}
