import { type Exchanged, type Sent, send } from '../http.ts'
import { demo } from './demo.ts'

/** Logs in a user of the lesson, at the main issuer or at the one below `base`. */
export async function logInAs(user: 'ada' | 'grace', base: '' | '/brief' = ''): Promise<Exchanged> {
  const { email, password } = (await demo()).users[user]
  return send({ method: 'POST', path: `${base}/login`, body: { email, password } })
}

/** A request to exchange a refresh token. */
export function refreshRequest(token: string, base: '' | '/brief' = ''): Sent {
  return { method: 'POST', path: `${base}/refresh`, body: { refresh_token: token } }
}

/** Sends a GET request with an access token. */
export function getWithToken(path: string, token: string): Promise<Exchanged> {
  return send({ method: 'GET', path, headers: { Authorization: `Bearer ${token}` } })
}

/** Logs out with an access token. */
export function logOut(token: string): Promise<Exchanged> {
  return send({ method: 'POST', path: '/logout', headers: { Authorization: `Bearer ${token}` } })
}

/** The end of a token: enough to tell two tokens apart. */
export function shortened(token: string): string {
  return `…${token.slice(-6)}`
}
