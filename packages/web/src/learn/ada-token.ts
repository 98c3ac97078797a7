import { useEffect, useState } from 'preact/hooks'
import type { Exchanged } from '../http.ts'
import { logInAs } from './requests.ts'

/** The last log-in as Ada. The tasks of a step share it; a reload forgets it. */
let login: Exchanged | undefined
const listeners = new Set<() => void>()

/** Logs in as Ada with a real request and keeps the reply for all tasks. */
export async function logInAsAda(): Promise<void> {
  login = await logInAs('ada')
  for (const listener of listeners) listener()
}

/** The last log-in as Ada and its access token; both undefined before. */
export function useAdaToken(): { readonly login: Exchanged | undefined; readonly token: string | undefined } {
  const [current, setCurrent] = useState(login)
  useEffect(() => {
    const update = () => setCurrent(login)
    listeners.add(update)
    return () => void listeners.delete(update)
  }, [])
  return { login: current, token: current?.received?.body?.access_token }
}
