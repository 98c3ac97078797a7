import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createElement, StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import { listen } from '../../sealwax/test/server.ts'
import { createClient } from '../src/index.ts'
import { type Auth, AuthProvider, useAuth } from '../src/react.ts'

const seen: Auth[] = []

function Page() {
  const auth = useAuth()
  seen.push(auth)
  // The status decides which type the session has.
  return createElement('p', null, auth.status === 'authenticated' ? auth.session.userId : auth.status)
}

test('react: a server renders "loading" and sends no request', async () => {
  let requests = 0
  await using server = await listen((request) => {
    requests += 1
    request.socket.destroy()
  })
  const client = createClient({ baseUrl: server.url })
  const page = createElement(AuthProvider, { client }, createElement(Page), createElement(Page))
  assert.equal(renderToString(createElement(StrictMode, null, page)), '<p>loading</p><p>loading</p>')
  assert.ok(seen.length >= 2)
  for (const auth of seen) assert.deepEqual(auth, { client, status: 'loading', session: undefined })
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(requests, 0)
})

test('react: useAuth outside of a provider says what is missing', () => {
  assert.throws(() => renderToString(createElement(Page)), {
    name: 'TypeError',
    message: 'useAuth: there is no <AuthProvider client={client}> around this component',
  })
})
