import { useState } from 'preact/hooks'
import { Exchange } from '../../components/exchange.tsx'
import { type Exchanged, send } from '../../http.ts'
import { demo } from '../demo.ts'
import type { LiveProps, Step } from '../step.ts'

const PROFILE = '/learn/api/profile'

function WithoutToken({ done }: LiveProps) {
  const [exchange, setExchange] = useState<Exchanged>()
  const ask = async () => {
    const result = await send({ method: 'GET', path: PROFILE })
    setExchange(result)
    if (result.received?.status === 401) done()
  }
  return (
    <>
      <div class="row">
        <button type="button" onClick={ask}>
          Ask for the profile
        </button>
      </div>
      {exchange && <Exchange exchange={exchange} />}
    </>
  )
}

function WithToken({ done }: LiveProps) {
  const [login, setLogin] = useState<Exchanged>()
  const [profile, setProfile] = useState<Exchanged>()
  const token: string | undefined = login?.received?.body?.access_token
  const logInAsAda = async () => {
    const { email, password } = (await demo()).users.ada
    setLogin(await send({ method: 'POST', path: '/login', body: { email, password } }))
  }
  const ask = async () => {
    const result = await send({ method: 'GET', path: PROFILE, headers: { Authorization: `Bearer ${token}` } })
    setProfile(result)
    if (result.received?.status === 200) done()
  }
  return (
    <>
      <div class="row">
        <button type="button" onClick={logInAsAda}>
          Log in as Ada
        </button>
        <button type="button" onClick={ask} disabled={token === undefined}>
          Ask for the profile with the token
        </button>
      </div>
      {login && <Exchange exchange={login} />}
      {profile && <Exchange exchange={profile} />}
    </>
  )
}

/** Step 3: 401 without a token, 200 with one. */
export const logIn: Step = {
  id: 'log-in',
  title: 'Log in, and send the token',
  text: (
    <p>
      A server that issues tokens has a route where users log in. It checks the password once and returns an access
      token. From then on, the client sends the token with every request, in the header <code>Authorization</code> after
      the word <code>Bearer</code>. Whoever bears the token gets in, so it is sent over HTTPS only.
    </p>
  ),
  tasks: [
    {
      id: 'without',
      title: 'Ask for a profile without a token',
      text: <p>The profile is guarded. Guess the status before you send the request.</p>,
      Live: WithoutToken,
      afterwards: (
        <p>
          401 means: I do not know who you are. The header <code>WWW-Authenticate</code> says which kind of credentials
          the route accepts.
        </p>
      ),
    },
    {
      id: 'with',
      title: 'Log in, and ask again',
      text: <p>The password goes to one route only. The profile gets the token.</p>,
      Live: WithToken,
      afterwards: (
        <p>
          200. The guard has checked the token without asking the database. Who the user is stands in the token itself,
          in the claim <code>sub</code>.
        </p>
      ),
    },
  ],
}
