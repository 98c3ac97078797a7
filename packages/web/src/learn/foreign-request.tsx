import { useEffect, useRef, useState } from 'preact/hooks'
import { Code } from '../components/code.tsx'
import { Notice } from '../components/notice.tsx'
import { send } from '../http.ts'
import { type Demo, demo } from './demo.ts'
import { asSeen, type Outcome, outcomeOf, type SeenRequest } from './reports.ts'

/** How a foreign page sends a request. */
export type Way = 'form' | 'fetch'

/** What came of an attack by a foreign page. */
export interface Attacked {
  /** The request of the foreign page; undefined if none arrived. */
  readonly request: SeenRequest | undefined
  /** The request that this page sent afterwards. */
  readonly own: SeenRequest | undefined
}

/** How long the foreign page has to say that it sent its request. */
const PATIENCE_MS = 3000

/** A button for each way, the foreign page in a frame, and what the server saw. */
export function ForeignRequest({
  from,
  buttons,
  onAttacked,
}: {
  from: 'foreign' | 'neighbour'
  buttons: readonly { readonly way: Way; readonly label: string }[]
  /** Called with undefined when another attack begins. */
  onAttacked: (attacked: Attacked | undefined) => void
}) {
  const [attack, setAttack] = useState<{ way: Way; number: number; demo: Demo; before: number }>()
  const [attacked, setAttacked] = useState<Attacked>()
  const begin = async (way: Way) => {
    const [before, about] = [await lastId(), await demo()]
    setAttacked(undefined)
    onAttacked(undefined)
    setAttack((last) => ({ way, number: (last?.number ?? 0) + 1, demo: about, before }))
  }
  const look = async () => {
    if (attack === undefined) return
    const result = await whatHappened(attack.demo[from], attack.before)
    setAttacked(result)
    onAttacked(result)
  }
  return (
    <>
      <div class="row">
        {buttons.map(({ way, label }) => (
          <button key={way} type="button" onClick={() => begin(way)}>
            {label}
          </button>
        ))}
      </div>
      {attack && <ForeignFrame key={attack.number} origin={attack.demo[from]} way={attack.way} onSent={look} />}
      <div aria-live="polite">{attacked && <WhatTheServerSaw attacked={attacked} />}</div>
    </>
  )
}

function ForeignFrame({ origin, way, onSent }: { origin: string; way: Way; onSent: () => Promise<void> }) {
  const wasSent = useRef(false)
  const loads = useRef(0)
  const once = () => {
    if (wasSent.current) return
    wasSent.current = true
    void onSent()
  }
  useEffect(() => {
    const listen = (event: MessageEvent) => {
      if (event.origin === origin && event.data?.attack === 'sent') once()
    }
    addEventListener('message', listen)
    const timer = setTimeout(once, PATIENCE_MS)
    return () => {
      removeEventListener('message', listen)
      clearTimeout(timer)
    }
  }, [])
  // The reply to the form replaces the page that sent it.
  const onLoad = () => {
    loads.current += 1
    if (way === 'form' && loads.current === 2) once()
  }
  return (
    <div class="unfold">
      <h3 class="caption">
        A page at <code>{origin}</code>
      </h3>
      <iframe
        class="page small"
        src={`${origin}/learn/attack?with=${way}`}
        title={`A foreign page at ${origin}`}
        onLoad={onLoad}
      />
    </div>
  )
}

function WhatTheServerSaw({ attacked: { request, own } }: { attacked: Attacked }) {
  return (
    <>
      <div class="split">
        <div>
          <h3 class="caption">What the server saw of it</h3>
          {request ? (
            <Code text={asSeen(request)} label="the request of the foreign page" />
          ) : (
            <p>No request arrived.</p>
          )}
        </div>
        <div>
          <h3 class="caption">Afterwards: a request of this page</h3>
          {own ? <Code text={asSeen(own)} label="the request of this page" /> : <p>No request arrived.</p>}
        </div>
      </div>
      {isLoggedIn(own) || outcomeOf(request) === 'accepted' ? (
        <Notice kind={outcomeOf(request) === 'accepted' ? 'bad' : 'good'}>{VERDICTS[outcomeOf(request)]}</Notice>
      ) : (
        <Notice>This page is not logged in, so there was no cookie to send. Log in, and try again.</Notice>
      )}
    </>
  )
}

const VERDICTS: Readonly<Record<Outcome, string>> = {
  none: 'The browser did not send the request. Ada is still logged in.',
  bare: 'The browser stopped it: it sent the request without the cookie. Ada is still logged in.',
  refused: 'The browser sent the cookie. The server stopped it: it refused the request. Ada is still logged in.',
  accepted: 'The browser sent the cookie, and the server accepted it. Ada is logged out.',
}

/** Whether a request of this page shows that the cookie is there and its session still lives. */
export function isLoggedIn(own: SeenRequest | undefined): boolean {
  return own?.cookie === true && own.status === 200
}

/** Refreshes, to see whether the session still lives, and reads what the server saw of both. */
async function whatHappened(attacker: string, before: number): Promise<Attacked> {
  await send({ method: 'POST', path: '/refresh' })
  const { origin } = await demo()
  const requests = (await seen()).filter(({ id }) => id > before)
  return {
    request: requests.findLast((one) => one.origin === attacker),
    own: requests.findLast((one) => one.origin === origin && one.path === '/refresh'),
  }
}

async function lastId(): Promise<number> {
  return (await seen()).at(-1)?.id ?? 0
}

async function seen(): Promise<readonly SeenRequest[]> {
  const { received } = await send({ method: 'GET', path: '/learn/api/seen' })
  return received?.body?.data ?? []
}
