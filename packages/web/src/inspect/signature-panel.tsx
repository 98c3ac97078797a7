import { browserAlgorithm } from '../token/algorithms.ts'
import { Panel, type PanelProps } from './part-panel.tsx'

/** What can be said about a signature without a key. */
export function SignaturePanel({
  signature,
  alg,
  ...panel
}: PanelProps & { signature: Uint8Array | undefined; alg: unknown }) {
  const algorithm = browserAlgorithm(alg)
  return (
    <Panel {...panel} title="Signature">
      {signature === undefined ? (
        <p>There is none.</p>
      ) : (
        <p>
          {signature.length} octets{algorithm !== undefined && `, ${algorithm.title}`}. It covers header and payload
          exactly as they are encoded above: a change of a single character makes it invalid.{' '}
          <a href="https://www.rfc-editor.org/rfc/rfc7515#section-5.2" target="_blank" rel="noreferrer">
            RFC 7515, section 5.2<span class="visually-hidden"> (opens a new tab)</span>
          </a>
        </p>
      )}
    </Panel>
  )
}
