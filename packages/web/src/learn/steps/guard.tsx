import { useState } from 'preact/hooks'
import { Code } from '../../components/code.tsx'
import { Exchange } from '../../components/exchange.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { type Exchanged, send } from '../../http.ts'
import { demo } from '../demo.ts'
import { guardedPrograms } from '../guard-code.ts'
import { Prediction } from '../prediction.tsx'
import type { LiveProps, Step } from '../step.ts'

/** The program in each framework. On the printed page, which has no scripts, one below the other. */
function Programs() {
  if (typeof document === 'undefined') {
    return (
      <>
        {guardedPrograms.map(({ framework, code }) => (
          <div key={framework}>
            <p>{framework}:</p>
            <pre>
              <code>{code}</code>
            </pre>
          </div>
        ))}
      </>
    )
  }
  const tabs = guardedPrograms.map(({ framework, code }) => ({
    name: framework,
    content: <Code text={code} label={`the program with ${framework}`} />,
  }))
  return <Tabs label="The framework" tabs={tabs} />
}

type Caller = 'nobody' | 'ada' | 'grace'
type Status = '200' | '401' | '403'

const CALLERS: readonly { caller: Caller; question: string; button: string; expected: Status }[] = [
  {
    caller: 'nobody',
    question: 'Which status does a request without a token get?',
    button: 'Ask as nobody',
    expected: '401',
  },
  {
    caller: 'ada',
    question: 'Which status does Ada get, with a valid token and the role student?',
    button: 'Ask as Ada',
    expected: '403',
  },
  {
    caller: 'grace',
    question: 'Which status does Grace get, with a valid token and the role teacher?',
    button: 'Ask as Grace',
    expected: '200',
  },
]

const STATUSES: readonly { value: Status; label: string }[] = [
  { value: '200', label: '200 OK' },
  { value: '401', label: '401 Unauthorized' },
  { value: '403', label: '403 Forbidden' },
]

function Try({ done }: LiveProps) {
  const [seen, setSeen] = useState<Partial<Record<Caller, Exchanged>>>({})
  const ask = async (caller: Caller) => {
    const exchange = await askForGrades(caller)
    const all = { ...seen, [caller]: exchange }
    setSeen((before) => ({ ...before, [caller]: exchange }))
    if (CALLERS.every((one) => statusOf(all[one.caller]) === one.expected)) done()
  }
  return (
    <>
      {CALLERS.map(({ caller, question, button }) => (
        <Attempt key={caller} question={question} button={button} exchange={seen[caller]} onAsk={() => ask(caller)} />
      ))}
    </>
  )
}

function Attempt({
  question,
  button,
  exchange,
  onAsk,
}: {
  question: string
  button: string
  exchange: Exchanged | undefined
  onAsk: () => Promise<void>
}) {
  const [guess, setGuess] = useState<Status>()
  return (
    <div class="attempt">
      <Prediction
        question={question}
        choices={STATUSES}
        guess={guess}
        onGuess={setGuess}
        outcome={statusOf(exchange) as Status | undefined}
      />
      <div class="row">
        <button type="button" onClick={onAsk}>
          {button}
        </button>
      </div>
      {exchange && <Exchange exchange={exchange} />}
    </div>
  )
}

function statusOf(exchange: Exchanged | undefined): string | undefined {
  return exchange?.received?.status.toString()
}

/** Logs in as the caller first, unless that is nobody. */
async function askForGrades(caller: Caller): Promise<Exchanged> {
  const path = '/learn/api/grades'
  if (caller === 'nobody') return send({ method: 'GET', path })
  const { email, password } = (await demo()).users[caller]
  const login = await send({ method: 'POST', path: '/login', body: { email, password } })
  const token: string | undefined = login.received?.body?.access_token
  // Without a token, the reply to the log-in says why.
  if (token === undefined) return login
  return send({ method: 'GET', path, headers: { Authorization: `Bearer ${token}` } })
}

/** Step 10: one line guards a route; authentication is not authorisation. */
export const guard: Step = {
  id: 'guard',
  title: 'Guard a route',
  text: (
    <>
      <p>
        All the checks of the earlier steps are one line before the handler of a route: <code>protect</code>. It reads
        the token, verifies it with the keys of the issuer, and responds by itself if the request must not pass. So the
        handler runs only for requests that may have what it returns. The second argument is what the route requires:
        here, a role.
      </p>
      <Programs />
    </>
  ),
  tasks: [
    {
      id: 'try',
      title: 'Ask for the grades as nobody, as Ada and as Grace',
      text: (
        <p>
          <code>GET /learn/api/grades</code> of this server is guarded with that line. Choose the status that you expect
          before you send each request.
        </p>
      ),
      Live: Try,
      afterwards: (
        <>
          <p>
            401 is about authentication: the server does not know who is asking, so log in. 403 is about authorisation:
            the server knows Ada, and she may not read the grades. Another log-in would not change that.
          </p>
          <p>
            A role says what a user may do. A scope, as in <code>{"protect(guard, { scope: 'grades:read' })"}</code>,
            says what a token may be used for, such as one that a user gave to an app. Neither says what belongs to
            whom. Whether Grace may change the grade of this student is a question for your handler, which compares{' '}
            <code>auth.subject</code> with its own data.
          </p>
        </>
      ),
    },
  ],
}
