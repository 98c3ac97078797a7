import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Code } from '../components/code.tsx'
import { type Exchanged, send } from '../http.ts'
import { PlaceLogIn } from './place-log-in.tsx'
import type { Place } from './refresh-token-place.ts'
import { asText } from './reports.ts'

/** How long a script has to report something after its page is loaded. */
const PATIENCE_MS = 2000

/** A message from the script in the comment. */
interface Report {
  readonly data: unknown
}

/** Logs in, posts a comment with a script, opens the page that shows it, and shows the report. */
export function InjectedComment({
  place,
  script,
  frameTitle,
  onReport,
  children,
}: {
  place: Place
  /** The comment before the reader edits it. */
  script: string
  /** Unique in the page. */
  frameTitle: string
  /** Called with what the script reported; with undefined when another comment is posted. */
  onReport: (data: unknown) => void
  /** What is shown below the report. */
  children?: ComponentChildren
}) {
  const [login, setLogin] = useState<Exchanged>()
  const [comment, setComment] = useState(script)
  const [posted, setPosted] = useState<Exchanged>()
  const [opened, setOpened] = useState(0)
  const [report, setReport] = useState<Report>()
  const id = useId()
  const post = async () => {
    const result = await send({ method: 'POST', path: '/learn/comments', body: { text: comment } })
    setPosted(result)
    setReport(undefined)
    onReport(undefined)
    if (result.received?.status === 204) setOpened((before) => before + 1)
  }
  return (
    <>
      <PlaceLogIn place={place} login={login} onLogIn={setLogin} />
      <div class="field">
        <label for={id}>The comment of the attacker</label>
        <textarea
          id={id}
          rows={script.split('\n').length + 2}
          spellcheck={false}
          value={comment}
          onInput={({ currentTarget }) => setComment(currentTarget.value)}
        />
      </div>
      <div class="row">
        <button type="button" onClick={post} disabled={login?.received?.status !== 200}>
          Post the comment and open the page
        </button>
      </div>
      {posted && posted.received?.status !== 204 && (
        <p class="status bad" role="alert">
          The comment was not posted: {posted.received?.body?.detail ?? 'no reply arrived'}.
        </p>
      )}
      {opened > 0 && (
        <div class="split unfold">
          <CommentsFrame
            key={opened}
            title={frameTitle}
            onReport={(data) => {
              setReport({ data })
              onReport(data)
            }}
          />
          <div aria-live="polite">
            <h3 class="caption">What the script reported</h3>
            {report && <Code text={asText(report.data)} label="the report of the script" />}
          </div>
        </div>
      )}
      {report && children}
    </>
  )
}

function CommentsFrame({ title, onReport }: { title: string; onReport: (data: unknown) => void }) {
  const frame = useRef<HTMLIFrameElement>(null)
  const [state, setState] = useState<'waiting' | 'silent' | 'reported'>('waiting')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    const listen = ({ source, data }: MessageEvent) => {
      if (source === null || source !== frame.current?.contentWindow) return
      setState('reported')
      onReport(data)
    }
    addEventListener('message', listen)
    return () => removeEventListener('message', listen)
  })
  useEffect(() => () => clearTimeout(timer.current), [])
  const wait = () => {
    timer.current = setTimeout(() => setState((now) => (now === 'waiting' ? 'silent' : now)), PATIENCE_MS)
  }
  return (
    <div>
      <h3 class="caption">The comments page, as Ada sees it</h3>
      <iframe class="page" ref={frame} src="./learn/comments" title={title} onLoad={wait} />
      <div aria-live="polite">
        {state === 'silent' && <p class="hint">No report arrived. The script has to call parent.postMessage.</p>}
      </div>
    </div>
  )
}
