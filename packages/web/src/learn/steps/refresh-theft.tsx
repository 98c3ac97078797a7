import { useState } from 'preact/hooks'
import { send } from '../../http.ts'
import { useOneAtATime } from '../one-at-a-time.ts'
import { Prediction } from '../prediction.tsx'
import { logInAs, refreshRequest, shortened } from '../requests.ts'
import type { LiveProps } from '../step.ts'
import { Story, useStory } from '../story.tsx'
import { AuditLog, type AuditRow } from './audit-log.tsx'

/** Two who refresh the same session. */
type Party = 'Ada' | 'the thief'

/** What a party has, and what became of it. */
interface Holding {
  readonly token: string
  readonly isRefused: boolean
}

/** The state of the theft: a session, and what each party has. */
interface Theft {
  readonly session: string
  readonly holdings: Readonly<Record<Party, Holding>>
}

function useTheft(done: () => void) {
  const { chapters, tell, restart } = useStory()
  const [theft, setTheft] = useState<Theft>()
  const [log, setLog] = useState<readonly AuditRow[]>()
  const run = useOneAtATime()
  const logIn = run(async () => {
    restart()
    setLog(undefined)
    const { refresh_token: token, session } = (await tell('Log in as Ada', logInAs('ada', '/brief')))?.body ?? {}
    const holding = { token, isRefused: false }
    setTheft(token && { session: session.id, holdings: { Ada: holding, 'the thief': holding } })
  })
  const refreshAs = (party: Party) =>
    run(async () => {
      if (theft === undefined) return
      const { token } = theft.holdings[party]
      const reply = await tell(`Refresh as ${party}`, send(refreshRequest(token, '/brief')))
      const holding = { token: reply?.body?.refresh_token ?? token, isRefused: reply?.body?.code === 'invalid_grant' }
      setTheft({ ...theft, holdings: { ...theft.holdings, [party]: holding } })
    })
  const readLog = run(async () => {
    if (theft === undefined) return
    const path = `/learn/api/events?session=${theft.session}`
    const rows: readonly AuditRow[] =
      (await tell('Read the audit log', send({ method: 'GET', path })))?.body?.data ?? []
    setLog(rows)
    if (theft.holdings.Ada.isRefused && rows.some(({ type }) => type === 'session.replay_detected')) done()
  })
  return { chapters, theft, log, logIn, refreshAs, readLog }
}

type Ending = 'thief' | 'owner' | 'neither'

function endingOf(theft: Theft | undefined): Ending | undefined {
  if (theft === undefined) return undefined
  const { Ada: ada, 'the thief': thief } = theft.holdings
  return ada.isRefused && thief.isRefused ? 'neither' : undefined
}

/** A stolen refresh token, used after its owner has used it. */
export function Thief({ done }: LiveProps) {
  const { chapters, theft, log, logIn, refreshAs, readLog } = useTheft(done)
  const [guess, setGuess] = useState<Ending>()
  return (
    <>
      <Prediction
        question="Ada refreshes, then the thief with the copy, then Ada again. Who can still refresh?"
        choices={[
          { value: 'thief', label: 'The thief' },
          { value: 'owner', label: 'Ada' },
          { value: 'neither', label: 'Neither of them' },
        ]}
        guess={guess}
        onGuess={setGuess}
        outcome={endingOf(theft)}
      />
      <div class="row">
        <button type="button" {...logIn}>
          Log in as Ada
        </button>
        <button type="button" {...refreshAs('Ada')} disabled={theft === undefined}>
          Refresh as Ada
        </button>
        <button type="button" {...refreshAs('the thief')} disabled={theft === undefined}>
          Refresh as the thief
        </button>
        <button type="button" class="secondary" {...readLog} disabled={theft === undefined}>
          Read the audit log
        </button>
      </div>
      {theft && <Holdings holdings={theft.holdings} />}
      <div aria-live="polite">{log && <AuditLog rows={log} />}</div>
      <Story chapters={chapters} />
    </>
  )
}

function Holdings({ holdings }: { holdings: Theft['holdings'] }) {
  return (
    <ul>
      {(['Ada', 'the thief'] as const).map((party) => (
        <li key={party}>
          {party === 'Ada' ? 'Ada' : 'The thief'} has the refresh token that ends with{' '}
          <code>{shortened(holdings[party].token)}</code>
          {holdings[party].isRefused && ', and was refused'}.
        </li>
      ))}
    </ul>
  )
}
