import { useEffect, useState } from 'preact/hooks'
import type { DecodedToken } from '../token/decode.ts'
import { type Evidence, judgeSignature, judgeWithoutKey, type Verdict } from '../token/verdict.ts'

const NOT_CHECKED: Verdict = {
  outcome: 'not checked',
  message: 'Anyone can have written this token.',
}

/** Checks the signature again whenever the token or the key changes. */
export function useVerdict(
  decoded: DecodedToken,
  evidence: Evidence | { readonly fault: string } | undefined,
): Verdict {
  const [checked, setChecked] = useState<Verdict>()
  useEffect(() => {
    if (evidence === undefined || 'fault' in evidence) return setChecked(undefined)
    // A check of an earlier token may take longer than this one.
    let isCurrent = true
    void judgeSignature(decoded, evidence).then((result) => {
      if (isCurrent) setChecked(result)
    })
    return () => {
      isCurrent = false
    }
  }, [decoded, evidence])
  return checked ?? judgeWithoutKey(decoded) ?? NOT_CHECKED
}

const SHOWN: Readonly<
  Record<Verdict['outcome'], { readonly title: string; readonly sign: string; readonly kind: string }>
> = {
  valid: { title: 'Signature valid', sign: '✓', kind: 'good' },
  invalid: { title: 'Signature invalid', sign: '✗', kind: 'bad' },
  'no matching key': { title: 'No matching key', sign: '?', kind: 'bad' },
  'algorithm not supported': { title: 'Algorithm not supported by the browser', sign: '?', kind: '' },
  'not signed': { title: 'Not signed', sign: '✗', kind: 'bad' },
  'not checked': { title: 'Signature not checked', sign: '?', kind: '' },
}

/**
 * The verdict on the signature. Stays in view while the reader edits the token.
 *
 * @param refusal why the token would be refused in spite of a valid signature
 */
export function VerdictLine({
  verdict,
  refusal,
  onCheck,
}: {
  verdict: Verdict
  refusal: string | undefined
  /** Shows the reader where to enter a key. */
  onCheck: () => void
}) {
  const { title, sign, kind } = SHOWN[verdict.outcome]
  return (
    <div class={`verdict notice ${kind}`}>
      <span role="status">
        <strong>
          <span aria-hidden="true">{sign} </span>
          {title}
        </strong>{' '}
        {verdict.message}
        {verdict.outcome === 'valid' && refusal !== undefined && ` It would be refused nevertheless: ${refusal}`}
      </span>{' '}
      {verdict === NOT_CHECKED && (
        <button type="button" class="secondary small" onClick={onCheck}>
          Check it
        </button>
      )}
    </div>
  )
}
