import { useEffect } from 'preact/hooks'
import { type Exchanged, send } from '../http.ts'
import { removeStored, store } from '../storage.ts'
import { demo } from './demo.ts'

/** Where the app of this step keeps its refresh token. */
export type Place = 'localStorage' | 'cookie'

const KEY = 'refresh_token'

/** Whether this page may have left a token, a cookie or a comment. */
let isUsed = false

/** Logs in as Ada and puts the refresh token into its place, and into no other. */
export async function logInWith(place: Place): Promise<Exchanged> {
  const { email, password } = (await demo()).users.ada
  const mode = place === 'cookie' ? { mode: 'cookie', remember: false } : {}
  isUsed = true
  const exchange = await send({ method: 'POST', path: '/login', body: { email, password, ...mode } })
  removeStored(KEY)
  const token: string | undefined = exchange.received?.body?.refresh_token
  if (token !== undefined) store(KEY, token)
  return exchange
}

/** Removes the token, the cookies and the comment when the reader leaves the step or the page. */
export function useCleanUp(): void {
  useEffect(() => {
    addEventListener('pagehide', cleanUp)
    return () => {
      removeEventListener('pagehide', cleanUp)
      cleanUp()
    }
  }, [])
}

function cleanUp(): void {
  if (!isUsed) return
  isUsed = false
  removeStored(KEY)
  void send({ method: 'DELETE', path: '/learn/comments' }, { keepalive: true })
}
