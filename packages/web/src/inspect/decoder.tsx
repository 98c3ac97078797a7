import { useMemo, useRef, useState } from 'preact/hooks'
import { TokenView } from '../components/token-view.tsx'
import { type DecodedToken, decodeToken } from '../token/decode.ts'
import { findMistakes, sortFindings } from '../token/findings.ts'
import { CLAIMS, HEADER_MEMBERS, UNKNOWN_HEADER_MEMBER, unknownClaim } from '../token/members.ts'
import { judgeSecret } from '../token/secrets.ts'
import { type KeyEntry, readEvidence } from './evidence.ts'
import { FindingList } from './finding-list.tsx'
import { KeyPanel } from './key-panel.tsx'
import { JsonPanel, type PanelProps } from './part-panel.tsx'
import { SignaturePanel } from './signature-panel.tsx'
import { useNow } from './use-now.ts'
import { useVerdict, VerdictLine } from './verdict-line.tsx'

/** A token in its three parts, explained, checked, and open to changes. */
export function Decoder({
  decoded,
  original,
  onToken,
  keyEntry,
  onKeyEntry,
}: {
  decoded: DecodedToken
  /** The token before the reader edited its JSON. */
  original: string
  /** Called with the token after a change. */
  onToken: (token: string) => void
  keyEntry: KeyEntry
  onKeyEntry: (change: Partial<KeyEntry>) => void
}) {
  const now = useNow()
  const [active, setActive] = useState<number>()
  const panels = [useRef<HTMLElement>(null), useRef<HTMLElement>(null), useRef<HTMLElement>(null)] as const
  const evidence = useMemo(() => readEvidence(keyEntry), [keyEntry])
  const verdict = useVerdict(decoded, evidence)
  const findings = findMistakes(decoded, now)
  const alg = decoded.header?.value?.alg
  const aboutSecret = evidence !== undefined && 'secret' in evidence ? judgeSecret(evidence.secret, alg) : []
  const refusal = findings.find(({ kind }) => kind === 'refused')
  const keyPanel = useRef<HTMLDivElement>(null)
  const choose = (part: number) => show(panels[Math.min(part, decoded.isEncrypted ? 0 : 2)]?.current)
  return (
    <div class="decoder">
      <div class="decoder-token">
        <TokenView token={decoded.token} active={active} onActive={setActive} onChoose={choose} />
        {original !== decoded.token && (
          <div class="row">
            <button type="button" class="secondary small" onClick={() => onToken(original)}>
              Undo the edits
            </button>
          </div>
        )}
      </div>
      <VerdictLine verdict={verdict} refusal={refusal?.message} onCheck={() => show(keyPanel.current)} />
      <div class="decoder-findings">
        <FindingList faults={decoded.faults} findings={sortFindings([...findings, ...aboutSecret])} />
      </div>
      <div class="decoder-parts">
        {(decoded.parts.length > 1 || decoded.header !== undefined) && (
          <Parts {...{ decoded, original, onToken, now, active, onActive: setActive, panels }} />
        )}
      </div>
      <div class="decoder-key" tabIndex={-1} ref={keyPanel}>
        <KeyPanel entry={keyEntry} onEntry={onKeyEntry} />
      </div>
    </div>
  )
}

/** Moves the focus, so that a keyboard goes on from there. */
function show(panel: HTMLElement | null | undefined): void {
  panel?.focus({ preventScroll: true })
  panel?.scrollIntoView({ block: 'nearest' })
}

type Panels = readonly [PanelProps['panelRef'], PanelProps['panelRef'], PanelProps['panelRef']]

function Parts({
  decoded,
  original,
  onToken,
  now,
  active,
  onActive,
  panels,
}: {
  decoded: DecodedToken
  original: string
  onToken: (token: string) => void
  now: number
  active: number | undefined
  onActive: (part: number | undefined) => void
  panels: Panels
}) {
  const { parts, header, payload, signature, isEncrypted } = decoded
  const first = useMemo(() => decodeToken(original), [original])
  const edit = (index: number) => (part: string) => onToken(parts.with(index, part).join('.'))
  const shared = { now, active, onActive }
  const [encodedHeader, encodedPayload] = parts
  return (
    <>
      {encodedHeader !== undefined && (
        <JsonPanel
          {...shared}
          {...{ index: 0, panelRef: panels[0], title: 'Header', value: header?.value, onEdit: edit(0) }}
          shown={{ part: encodedHeader, text: header?.text ?? '' }}
          original={{ part: first.parts[0] ?? '', text: first.header?.text ?? '' }}
          meaningOf={(name) => HEADER_MEMBERS.get(name) ?? UNKNOWN_HEADER_MEMBER}
        />
      )}
      {encodedPayload !== undefined && !isEncrypted && (
        <JsonPanel
          {...shared}
          {...{ index: 1, panelRef: panels[1], title: 'Payload', value: payload?.value, onEdit: edit(1) }}
          shown={{ part: encodedPayload, text: payload?.text ?? '' }}
          original={{ part: first.parts[1] ?? '', text: first.payload?.text ?? '' }}
          meaningOf={(name) => CLAIMS.get(name) ?? unknownClaim(name)}
        />
      )}
      {!isEncrypted && (
        <SignaturePanel {...{ index: 2, active, onActive, panelRef: panels[2], signature, alg: header?.value?.alg }} />
      )}
    </>
  )
}
