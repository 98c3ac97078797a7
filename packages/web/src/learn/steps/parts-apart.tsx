import { useState } from 'preact/hooks'
import { PARTS, TokenView } from '../../components/token-view.tsx'
import { AdaLogIn } from '../ada-log-in.tsx'
import { useAdaToken } from '../ada-token.ts'
import type { LiveProps } from '../step.ts'
import { Decoding, STAGES } from './parts-decoding.tsx'

/** A real token, decoded part by part. */
export function TakeApart({ done }: LiveProps) {
  const { token } = useAdaToken()
  return (
    <>
      <AdaLogIn />
      {token !== undefined && <Parts key={token} token={token} done={done} />}
    </>
  )
}

function Parts({ token, done }: { token: string; done: () => void }) {
  const [pointed, setPointed] = useState<number>()
  const [part, setPart] = useState(0)
  const [stage, setStage] = useState(0)
  const [decoded, setDecoded] = useState<ReadonlySet<number>>(new Set())
  const show = (newPart: number, newStage: number) => {
    setPart(newPart)
    setStage(newStage)
    if (newStage < STAGES.length) return
    const all = new Set([...decoded, newPart])
    setDecoded(all)
    if (all.size === PARTS.length) done()
  }
  const next = STAGES[stage]
  return (
    <div class="unfold">
      <TokenView
        token={token}
        active={pointed ?? part}
        onActive={setPointed}
        onChoose={(index) => show(index, stage)}
      />
      <div class="row" role="group" aria-label="Part of the token">
        {PARTS.map((name, index) => (
          <button
            key={name}
            type="button"
            class={`secondary part part-${index + 1}`}
            aria-pressed={index === part}
            onPointerEnter={() => setPointed(index)}
            onPointerLeave={() => setPointed(undefined)}
            onClick={() => show(index, stage)}
          >
            {capital(name)}
          </button>
        ))}
        <span class="hint" aria-live="polite">
          {stage === STAGES.length && `${decoded.size} of 3 parts decoded`}
        </span>
      </div>
      <Decoding token={token} part={part} stage={stage} />
      {next !== undefined && (
        <div class="row">
          <button type="button" onClick={() => show(part, stage + 1)}>
            {next}
          </button>
        </div>
      )}
    </div>
  )
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
