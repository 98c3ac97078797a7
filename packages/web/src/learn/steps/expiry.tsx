import { Code } from '../../components/code.tsx'
import { type Candidate, FindAll } from '../find-all.tsx'
import type { LiveProps, Step } from '../step.ts'
import { Tolerance } from './expiry-tolerance.tsx'
import { WatchExpiry } from './expiry-watch.tsx'

const MOMENTS: readonly Candidate[] = [
  { value: '12:00:02', matches: false, reason: 'It was issued before that, but nbf has not been reached.' },
  { value: '12:00:05', matches: true, reason: 'nbf is the first second in which it is valid.' },
  { value: '12:14:59', matches: true, reason: 'This is the last second before exp.' },
  { value: '12:15:00', matches: false, reason: 'At exp itself the token has expired.' },
].map((moment) => ({ ...moment, label: moment.value }))

function ThreeTimes({ done }: LiveProps) {
  return (
    <>
      <Code label="the times of the token" text={'iat  12:00:00\nnbf  12:00:05\nexp  12:15:00'} />
      <FindAll question="When does a guard without tolerance accept this token?" candidates={MOMENTS} onFound={done} />
    </>
  )
}

/** Step 5: a token expires on screen. */
export const expiry: Step = {
  id: 'expiry',
  title: 'Expiry: watch a token expire',
  text: (
    <>
      <p>
        A guard accepts a signed token without asking the server that issued it. If somebody steals a token, it works
        for them, too. So access tokens are valid for a short time only: the claim <code>exp</code> says when a token
        expires, in seconds since 1970.
      </p>
      <p>
        Usual lifetimes are 5 to 15 minutes. For this step, the server has a second issuer, whose tokens are valid for
        ten seconds.
      </p>
    </>
  ),
  tasks: [
    {
      id: 'watch',
      title: 'Send a token before and after it expires',
      text: (
        <p>
          Get a token and send it at once. Send the same token again when the countdown is over. You have as many
          attempts as you like.
        </p>
      ),
      Live: WatchExpiry,
      afterwards: (
        <p>
          <code>token_expired</code>. The token is the same, and its signature is still correct. Time has passed: that
          is all. A client that gets this code fetches a new access token and sends the request again; the next step
          shows how.
        </p>
      ),
    },
    {
      id: 'tolerance',
      title: 'Let the clock be a little wrong',
      text: (
        <p>
          Two computers never have exactly the same time. If the clock of an API is fast, it refuses tokens that are
          still valid; if it is slow, it refuses tokens that were issued “in the future”. So guards allow a small
          difference, the clock tolerance. Here are two routes: one allows no difference, the other allows 30 seconds.
          Get a token, wait until it has expired, and send it to both within 30 seconds.
        </p>
      ),
      Live: Tolerance,
      afterwards: (
        <p>
          The tolerance also keeps every token valid for that much longer. A few seconds are enough for computers that
          set their clocks by the network. The guard of Sealwax allows 5 seconds by default, and never more than 60.
        </p>
      ),
    },
    {
      id: 'times',
      title: 'Tell iat, nbf and exp apart',
      text: (
        <p>
          Three claims are about time. <code>iat</code> (issued at) is when the token was made, <code>nbf</code> (not
          before) is when it becomes valid, and <code>exp</code> is when it expires. In a real token all three are
          seconds since 1970; here they are clock times. Most tokens have no <code>nbf</code>: they are valid at once.
        </p>
      ),
      Live: ThreeTimes,
      afterwards: (
        <p>
          From <code>nbf</code> on, and until just before <code>exp</code>. <code>iat</code> does not set a limit by
          itself, but a guard may use it: the one here refuses a token that was issued more than a minute in the future,
          since one of the two clocks must be wrong.
        </p>
      ),
    },
  ],
}
