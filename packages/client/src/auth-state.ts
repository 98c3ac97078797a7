import type { Client } from './client.ts'
import { between } from './pauses.ts'
import type { Session } from './types.ts'

/** Who is logged in, as far as the page knows. */
export type Auth = Known & {
  /** The client of the provider, to log in and out. */
  readonly client: Client
}

/**
 * `loading`: the server has not replied yet. `unavailable`: it cannot be asked, and is asked again
 * after a pause.
 */
type Known =
  | { readonly status: 'authenticated'; readonly session: Session }
  // One member each, so that the session is known after the three have been excluded.
  | { readonly status: 'loading'; readonly session: undefined }
  | { readonly status: 'anonymous'; readonly session: undefined }
  | { readonly status: 'unavailable'; readonly session: undefined }

/** What components show, in the form that React reads. */
export interface AuthState {
  /** Calls a function after each change. The server is asked only while there is one. */
  subscribe(changed: () => void): () => void
  /** Returns the same object until something changes. */
  read(): Auth
  /** On a server, and when its HTML is hydrated. */
  readInitial(): Auth
}

/** The pauses before the server is asked again double from the first to the last, ± half. */
const [FIRST_PAUSE_MS, LAST_PAUSE_MS] = [1000, 16_000]

const states = new WeakMap<Client, AuthState>()

/** One for each client, so that a component that appears later knows at once who is logged in. */
export function authStateOf(client: Client): AuthState {
  const state = states.get(client) ?? createAuthState(client)
  states.set(client, state)
  return state
}

function createAuthState(client: Client): AuthState {
  const components = new Set<() => void>()
  const initial: Auth = { client, status: 'loading', session: undefined }
  let auth: Auth = initial
  let pause = FIRST_PAUSE_MS
  let timer: ReturnType<typeof setTimeout> | undefined
  let listening = false

  const isKnown = () => auth.status === 'authenticated' || auth.status === 'anonymous'

  function show(known: Known): void {
    auth = { client, ...known }
    for (const changed of components) changed()
  }

  function know(session: Session | undefined): void {
    clearTimeout(timer)
    show(session === undefined ? { status: 'anonymous', session } : { status: 'authenticated', session })
  }

  async function ask(): Promise<void> {
    try {
      const session = await client.session()
      // The listener may know already, and something newer.
      if (!isKnown()) know(session)
    } catch {
      tryLater()
    }
  }

  function tryLater(): void {
    if (auth.status === 'loading') show({ status: 'unavailable', session: undefined })
    clearTimeout(timer)
    if (components.size > 0) timer = setTimeout(ask, between(0.5, 1.5) * pause)
    pause = Math.min(pause * 2, LAST_PAUSE_MS)
  }

  return {
    subscribe(changed) {
      components.add(changed)
      // For as long as the client lives: components that come back have missed nothing.
      if (!listening) client.onChange(know)
      listening = true
      if (components.size === 1 && !isKnown()) void ask()
      return () => {
        components.delete(changed)
        if (components.size === 0) clearTimeout(timer)
      }
    },
    read: () => auth,
    readInitial: () => initial,
  }
}
