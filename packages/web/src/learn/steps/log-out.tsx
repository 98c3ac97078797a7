import type { Step } from '../step.ts'
import { Feed, MeasuredDelay } from './log-out-delay.tsx'
import { RevokedToken } from './log-out-live.tsx'

/** Step 7: a log-out ends a token that is well signed and not expired. */
export const logOut: Step = {
  id: 'log-out',
  title: 'Log out',
  text: (
    <p>
      A guard that checks the signature and <code>exp</code> needs no database. That is fast, and it has a price:
      nothing in the token changes when its user logs out. If the guard knew nothing else, a copy of the token would
      work until it expires.
    </p>
  ),
  tasks: [
    {
      id: 'revoked',
      title: 'Use a token after the log-out',
      text: (
        <p>
          Log in and ask for the profile. Log out, and ask again with the same token. Then check the token in this page,
          as a guard without a list of log-outs would.
        </p>
      ),
      Live: RevokedToken,
      afterwards: (
        <>
          <p>
            The signature is right and <code>exp</code> is far away, but the guard refuses with{' '}
            <code>token_revoked</code>. After the signature and the times, it looked for the claim <code>sid</code>, the
            id of the session, in a list of sessions that have ended. The list is short and in memory, so the check
            costs next to nothing: an entry is needed only until the last token of that session has expired.
          </p>
          <p>
            Without such a list, keep access tokens short-lived and say so to your users: “log out” then only means that
            the browser forgets the token.
          </p>
        </>
      ),
    },
    {
      id: 'delay',
      title: 'Measure how long a log-out takes',
      text: (
        <p>
          A second service accepts the same tokens. It does not share a database with the issuer. Log in, which also
          asks both once. Then log out: from that moment on, the page asks both again and again until they refuse.
        </p>
      ),
      Live: MeasuredDelay,
      afterwards: (
        <p>
          The server that issued the token refuses as soon as the log-out is confirmed. The second service waits for
          news at an address of the issuer, so it hears of the log-out within milliseconds. The times in the table
          include the request itself.
        </p>
      ),
    },
    {
      id: 'feed',
      title: 'Read the list',
      text: (
        <p>
          The second service gets the list from <code>/.well-known/revocations</code>. Log in and out, and look for your
          session.
        </p>
      ),
      Live: Feed,
      afterwards: (
        <p>
          Each entry is the id of a session that has ended. A service first reads the whole list and then asks for what
          comes after its <code>cursor</code>; the server replies as soon as there is something new. The ids are random,
          so everybody may read the list.
        </p>
      ),
    },
  ],
}
