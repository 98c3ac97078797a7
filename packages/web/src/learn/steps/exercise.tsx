import type { ComponentChildren } from 'preact'
import { Code } from '../../components/code.tsx'
import { GUARD_SOLUTION, GUARD_START } from '../exercise/guard-code.ts'
import { guardHints } from '../exercise/guard-hints.tsx'
import { VERIFIER_SOLUTION, VERIFIER_START } from '../exercise/verifier-code.ts'
import { verifierHints } from '../exercise/verifier-hints.tsx'
import { lazily } from '../lazily.tsx'
import type { Step } from '../step.ts'

const ROUTE = `app.get('/profile', guard, (c) => c.json({ user: c.get('user') }))`

/** Step 11: the reader writes a verifier and a guard. */
export const exercise: Step = {
  id: 'exercise',
  title: 'Exercise: write a verifier and a guard',
  text: (
    <>
      <p>
        You have seen what a verifier refuses, and what a guard replies. Now write both. In production, use a library:
        it knows more attacks than one page can list. But once you have written a verifier, you know what the library
        does.
      </p>
      <p>
        Your code runs in this browser, in a worker without network, storage, or access to this page. It is stopped
        after a second without a result, so an endless loop does no harm.
      </p>
    </>
  ),
  tasks: [
    {
      id: 'verifier',
      title: 'Complete the verifier',
      text: (
        <>
          <p>The verifier below has five gaps. You may use these functions, besides what JavaScript has:</p>
          <dl class="functions">
            <dt>
              <code>decode(part)</code>
            </dt>
            <dd>decodes base64url and returns the text.</dd>
            <dt>
              <code>await hmac(secret, text)</code>
            </dt>
            <dd>returns the HMAC with SHA-256, in base64url: the signature of HS256.</dd>
            <dt>
              <code>equal(a, b)</code>
            </dt>
            <dd>tells whether two strings are equal, in constant time.</dd>
          </dl>
          <p>
            Why constant time? <code>===</code> stops at the first character that differs. Whoever can measure that time
            exactly, over many attempts, learns how many characters of a guessed signature are right, and so guesses one
            character after the other. <code>equal</code> always compares all characters. Your code works with{' '}
            <code>===</code>, too, but this exercise is complete only with <code>equal</code>.
          </p>
          <p>Tab leaves the editor. The tokens and their secret are new in each run.</p>
        </>
      ),
      Live: lazily(async () => (await import('../exercise/verifier-exercise.tsx')).VerifierExercise),
      Printed: () => (
        <Printed start={VERIFIER_START} hints={verifierHints} solution={VERIFIER_SOLUTION} name="verifier" />
      ),
      afterwards: (
        <p>
          That is a verifier, in a few lines. Note what it does not do: it never asks the header which algorithm to use,
          and it does not look at the claims before the signature is right. A library also checks the issuer (
          <code>iss</code>), the audience (<code>aud</code>), the type (<code>typ</code>) and the limits of its input.
        </p>
      ),
    },
    {
      id: 'guard',
      title: 'Complete the guard',
      text: (
        <>
          <p>
            A verifier checks a token; a guard checks a request. This one is a middleware of Hono. It stands before one
            route:
          </p>
          <Code text={ROUTE} label="the guarded route" />
          <p>
            Your guard runs in the real Hono. The requests have good, missing, malformed and forged headers. Good ones
            get 200, and the route must know the user. All others get 401, with <code>WWW-Authenticate</code>, and the
            route must not run. Here <code>verify(token, secret)</code> is a complete verifier. The secret is{' '}
            <code>c.env.SECRET</code>.
          </p>
        </>
      ),
      Live: lazily(async () => (await import('../exercise/guard-exercise.tsx')).GuardExercise),
      Printed: () => <Printed start={GUARD_START} hints={guardHints} solution={GUARD_SOLUTION} name="guard" />,
      afterwards: (
        <p>
          The guard refuses before the route runs, and each 401 says which scheme the route expects. The name of the
          scheme is not case-sensitive (RFC 9110, section 11.1). What this guard does not do is authorisation: it does
          not ask whether this user may do this.
        </p>
      ),
    },
  ],
}

function Printed({
  start,
  hints,
  solution,
  name,
}: {
  start: string
  hints: readonly { title: string; text: ComponentChildren }[]
  solution: string
  name: string
}) {
  return (
    <>
      <Code text={start} label={`the ${name} with gaps`} />
      {hints.map(({ title, text }, index) => (
        <div key={title}>
          <h4>
            Hint {index + 1}: {title}
          </h4>
          {text}
        </div>
      ))}
      <h4>Solution</h4>
      <Code text={solution} label={`the solution of the ${name}`} />
    </>
  )
}
