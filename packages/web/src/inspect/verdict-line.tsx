import { useEffect, useState } from 'preact/hooks'
import type { DecodedToken } from '../token/decode.ts'
import { type Evidence, judgeSignature, type Verdict } from '../token/verdict.ts'

const NOT_CHECKED: Verdict = {
  outcome: 'not checked',
  message: 'Anyone can have written this token. Enter a key below to check it.',
}

/** Checks the signature again whenever the token or the key changes. */
export function useVerdict(
  decoded: DecodedToken,
  evidence: Evidence | { readonly fault: string } | undefined,
): Verdict {
  const [verdict, setVerdict] = useState(NOT_CHECKED)
  useEffect(() => {
    if (evidence === undefined || 'fault' in evidence) return setVerdict(NOT_CHECKED)
    // A check of an earlier token may take longer than this one.
    let isCurrent = true
    void judgeSignature(decoded, evidence).then((result) => {
      if (isCurrent) setVerdict(result)
    })
    return () => {
      isCurrent = false
    }
  }, [decoded, evidence])
  return verdict
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
export function VerdictLine({ verdict, refusal }: { verdict: Verdict; refusal: string | undefined }) {
  const { title, sign, kind } = SHOWN[verdict.outcome]
  return (
    <div class={`verdict notice ${kind}`} role="status">
      <strong>
        <span aria-hidden="true">{sign} </span>
        {title}
      </strong>{' '}
      {verdict.message}
      {verdict.outcome === 'valid' && refusal !== undefined && ` It would be refused nevertheless: ${refusal}`}
    </div>
  )
}
