import { createElement, type ReactElement, StrictMode, useState } from 'react'
import { createClient } from '../../src/index.ts'
import { AuthProvider, useAuth } from '../../src/react.ts'

/** A page that shows in two places who is logged in, once it is asked to in the second one. */
export function App({ baseUrl }: { readonly baseUrl: string }): ReactElement {
  const [client] = useState(() => createClient({ baseUrl }))
  return createElement(StrictMode, null, createElement(AuthProvider, { client }, createElement(Page)))
}

function Page() {
  const { client } = useAuth()
  const [isOpen, setOpen] = useState(false)
  const login = () => client.login({ email: 'ann@example.com', password: 'correct horse battery staple' })
  return createElement(
    'main',
    null,
    createElement(Status, { id: 'first' }),
    isOpen && createElement(Status, { id: 'second' }),
    button('Log in', () => void login()),
    button('Log out', () => void client.logout()),
    button('Second', () => setOpen(!isOpen)),
  )
}

function button(name: string, onClick: () => void) {
  return createElement('button', { type: 'button', onClick }, name)
}

function Status({ id }: { readonly id: string }) {
  const { status, session } = useAuth()
  return createElement('p', { id }, session === undefined ? status : `${status}: ${session.userId}`)
}
