import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { toNodeHandler } from '../../sealwax/src/http/node.ts'
import { listen, PASSWORD, startAuth } from '../../sealwax/test/server.ts'
import { type AuthState, authStateOf } from '../src/auth-state.ts'
import { type ClientStorage, createClient } from '../src/index.ts'

const email = 'ann@example.com'

/** An auth server with one user, and the paths of the requests that it received. */
async function start() {
  const own = await startAuth()
  await own.auth.users.create({ id: 'ann', email, password: PASSWORD })
  const handler = toNodeHandler(own.auth)
  const received: string[] = []
  let isAway = false
  const server = await listen((request, response) => {
    received.push(request.url ?? '')
    if (isAway) request.socket.destroy()
    else handler(request, response)
  })
  return {
    url: server.url,
    received,
    setAway(away: boolean) {
      isAway = away
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await own[Symbol.asyncDispose]()
    },
  }
}

/** Shows the state as a component does. `seen` lists each status. */
function mount(state: AuthState) {
  const seen: string[] = [state.read().status]
  let leave = state.subscribe(note)
  function note() {
    seen.push(state.read().status)
  }
  return {
    seen,
    async until(status: string) {
      while (seen.at(-1) !== status) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    /** What StrictMode does once with each component. */
    again() {
      leave()
      leave = state.subscribe(note)
    },
    [Symbol.dispose]: () => leave(),
  }
}

function pocket(): ClientStorage {
  const items = new Map<string, string>()
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  }
}

test('auth state: nobody, then a log-in, then a log-out', { timeout: 20_000 }, async () => {
  await using server = await start()
  const client = createClient({ baseUrl: server.url })
  using component = mount(authStateOf(client))
  await component.until('anonymous')
  const { session } = await client.login({ email, password: PASSWORD })
  assert.deepEqual(authStateOf(client).read(), { client, status: 'authenticated', session })
  assert.equal(session.userId, 'ann')
  await client.logout()
  assert.deepEqual(component.seen, ['loading', 'anonymous', 'authenticated', 'anonymous'])
})

test('auth state: a stored session is asked for once, however many components mount', { timeout: 20_000 }, async () => {
  await using server = await start()
  const storage = pocket()
  await createClient({ baseUrl: server.url, storage }).login({ email, password: PASSWORD })

  const calls: string[] = []
  const client = createClient({ baseUrl: server.url, storage })
  const counted: typeof client = {
    ...client,
    session() {
      calls.push('session')
      return client.session()
    },
    onChange(listener) {
      calls.push('onChange')
      return client.onChange(listener)
    },
  }
  const state = authStateOf(counted)
  using first = mount(state)
  using second = mount(state)
  await first.until('authenticated')
  first.again()
  second.again()
  first[Symbol.dispose]()
  second.again()
  assert.deepEqual(second.seen, ['loading', 'authenticated'])
  assert.deepEqual(calls, ['onChange', 'session'])
})

test('auth state: StrictMode, which mounts twice, causes one refresh', { timeout: 20_000 }, async () => {
  await using server = await start()
  const storage = pocket()
  await createClient({ baseUrl: server.url, storage }).login({ email, password: PASSWORD })
  using component = mount(authStateOf(createClient({ baseUrl: server.url, storage })))
  component.again()
  await component.until('authenticated')
  assert.deepEqual(component.seen, ['loading', 'authenticated'])
  assert.equal(server.received.filter((path) => path === '/refresh').length, 1)
})

test('auth state: what it returns changes only with the session', { timeout: 20_000 }, async () => {
  await using server = await start()
  const client = createClient({ baseUrl: server.url })
  const state = authStateOf(client)
  assert.equal(authStateOf(client), state)
  assert.equal(state.read(), state.readInitial())
  using component = mount(state)
  await client.login({ email, password: PASSWORD })
  const known = state.read()
  await client.session()
  component.again()
  assert.equal(state.read(), known)
  assert.equal(state.readInitial().status, 'loading')
})

test('auth state: a change is not missed while no component shows it', { timeout: 20_000 }, async () => {
  await using server = await start()
  const client = createClient({ baseUrl: server.url })
  await client.login({ email, password: PASSWORD })
  const state = authStateOf(client)
  {
    using component = mount(state)
    await component.until('authenticated')
  }
  await client.logout()
  assert.equal(state.read().status, 'anonymous')
})

test('auth state: a server that is away is asked again, and found', { timeout: 60_000 }, async () => {
  await using server = await start()
  const storage = pocket()
  await createClient({ baseUrl: server.url, storage }).login({ email, password: PASSWORD })
  server.setAway(true)
  using component = mount(authStateOf(createClient({ baseUrl: server.url, storage })))
  await component.until('unavailable')
  const { length } = server.received
  while (server.received.length < length + 2) await new Promise((resolve) => setTimeout(resolve, 50))
  await new Promise((resolve) => setTimeout(resolve, 200))
  server.setAway(false)
  await component.until('authenticated')
  assert.deepEqual(component.seen, ['loading', 'unavailable', 'authenticated'])
})

test('auth state: without a component, a server that is away is not asked again', { timeout: 60_000 }, async () => {
  await using server = await start()
  const storage = pocket()
  await createClient({ baseUrl: server.url, storage }).login({ email, password: PASSWORD })
  server.setAway(true)
  const state = authStateOf(createClient({ baseUrl: server.url, storage }))
  const isQuiet = async () => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { length } = server.received
    await new Promise((resolve) => setTimeout(resolve, 3500))
    return server.received.length === length
  }
  // Goes while the server is asked.
  const before = server.received.length
  mount(state)[Symbol.dispose]()
  while (server.received.length < before + 2) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(await isQuiet())
  // Goes while it waits to ask again.
  {
    using component = mount(state)
    component.again()
    component.again()
    const { length } = server.received
    while (server.received.length < length + 2) await new Promise((resolve) => setTimeout(resolve, 50))
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.ok(await isQuiet())
})

test('auth state: Retry-After is respected', { timeout: 60_000 }, async () => {
  const times: number[] = []
  const overloaded: RequestListener = (_request, response) => {
    times.push(performance.now())
    response.writeHead(503, { 'Content-Type': 'application/problem+json', 'Retry-After': '3' })
    response.end(JSON.stringify({ code: 'temporarily_unavailable', title: 'Temporarily unavailable' }))
  }
  await using server = await listen(overloaded)
  const storage = pocket()
  const client = createClient({ baseUrl: server.url, storage: { ...storage, getItem: () => 'swr_x' } })
  using component = mount(authStateOf(client))
  await component.until('unavailable')
  while (times.length < 2) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok((times[1] as number) - (times[0] as number) >= 2990, times.join())
})
