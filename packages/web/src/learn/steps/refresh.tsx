import type { Step } from '../step.ts'
import { LostReply, Rotate } from './refresh-live.tsx'
import { Thief } from './refresh-theft.tsx'

/** Step 6: rotation, a lost reply, and a stolen refresh token. */
export const refresh: Step = {
  id: 'refresh',
  title: 'Refresh',
  text: (
    <>
      <p>
        An access token is valid for minutes, so that a stolen one is soon useless. Nobody wants to type a password
        every fifteen minutes, though. So a log-in returns a second token: the refresh token. It goes to one route only,{' '}
        <code>/refresh</code>, which replies with a new access token.
      </p>
      <p>
        A refresh token is worth more to a thief than an access token: it works for days. Two things make up for that.
        It is never sent to an API, and each one is meant to be used once.
      </p>
    </>
  ),
  tasks: [
    {
      id: 'rotate',
      title: 'Refresh once',
      text: <p>Log in, and exchange the refresh token.</p>,
      Live: Rotate,
      afterwards: (
        <>
          <p>
            Both tokens are new. Replacing the refresh token at each use is called rotation: a client always has the
            newest one and forgets the one before.
          </p>
          <p>
            The refresh token is not a JWT. Only the server that issued it reads it, and that server looks up the
            session in its database at every refresh. That is where a session ends and where new roles get into a token.
          </p>
        </>
      ),
    },
    {
      id: 'lost-reply',
      title: 'Lose a reply',
      text: (
        <p>
          Connections break. Suppose the server rotates the refresh token, and its reply never arrives: the client still
          has the old one. Send a refresh, throw the reply away, and send the same refresh token again within 30
          seconds.
        </p>
      ),
      Live: LostReply,
      afterwards: (
        <p>
          For 30 seconds after a rotation, this server gives the same client the same successor again. Without this, a
          weak mobile connection or a second tab would log Ada out. Many servers are less patient, so a client should
          not send two refreshes at the same time.
        </p>
      ),
    },
    {
      id: 'thief',
      title: 'Use a stolen refresh token',
      text: (
        <>
          <p>
            This task uses the second issuer of the lesson, at <code>/brief</code>. It forgives nothing: a refresh token
            works once, so you need not wait for 30 seconds to pass. When you log in, a thief gets a copy of Ada’s
            refresh token, for example from a backup of her phone.
          </p>
          <p>
            Refresh as Ada, then as the thief, then as Ada again. Read the audit log at the end. Then log in again and
            let the thief go first.
          </p>
        </>
      ),
      Live: Thief,
      afterwards: (
        <>
          <p>
            The server saw a refresh token that was used already. It cannot know who of the two is Ada, so it ended the
            session. The one who sent the used token got <code>invalid_grant</code> with the reason{' '}
            <code>replayed</code>, the other one <code>session_revoked</code>. Ada has to log in with her password; the
            thief cannot.
          </p>
          <p>
            The audit log tells the other side: <code>session.replay_detected</code>, with the address and the program
            of who sent the used token (<code>presented_by</code>) and of who had exchanged it before (
            <code>rotated_by</code>). Here both are your browser. Send the thief’s request with curl, and they differ.
          </p>
        </>
      ),
    },
  ],
}
