import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useSyncExternalStore,
} from 'react'
import { type Auth, authStateOf } from './auth-state.ts'
import type { Client } from './client.ts'

export type { Auth } from './auth-state.ts'

const ClientContext = createContext<Client | undefined>(undefined)

/** What {@link AuthProvider} takes. */
export interface AuthProviderProps {
  /** Created once, outside of components. */
  readonly client: Client
  /** The components that may call {@link useAuth}. */
  readonly children?: ReactNode
}

/** Gives a client to the components inside. */
export function AuthProvider({ client, children }: AuthProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children)
}

/**
 * Returns who is logged in. The component renders again after each log-in and log-out, in this tab
 * or another one.
 *
 * @throws {TypeError} outside of an {@link AuthProvider}
 */
export function useAuth(): Auth {
  const client = useContext(ClientContext)
  if (client === undefined)
    throw new TypeError('useAuth: there is no <AuthProvider client={client}> around this component')
  const { subscribe, read, readInitial } = authStateOf(client)
  return useSyncExternalStore(subscribe, read, readInitial)
}
