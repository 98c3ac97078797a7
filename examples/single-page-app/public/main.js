import { createClient } from '/sealwax-client/index.js'

const client = createClient({ baseUrl: '/auth' }) // in a page: cookie mode

const find = (selector) => document.querySelector(selector)
const show = (text) => {
  find('#output').textContent = text
}

/** Runs what a user asked for. Every call of the client can fail: there may be no network. */
async function run(action) {
  show('')
  try {
    await action()
  } catch (error) {
    show(error.message)
  }
}

// Called for this tab, and when the user logs in or out in another one.
client.onChange((session) => {
  find('#status').textContent = session === undefined ? 'Nobody is logged in' : `Logged in: ${session.userId}`
  find('#log-in').hidden = session !== undefined
  find('#logged-in').hidden = session === undefined
  if (session === undefined) show('')
})

find('#log-in').addEventListener('submit', (event) => {
  event.preventDefault()
  const form = event.currentTarget
  const { email, password } = Object.fromEntries(new FormData(form))
  void run(async () => {
    await client.login({ email, password })
    form.reset()
  })
})
find('#log-out').addEventListener('click', () => run(() => client.logout()))

for (const name of ['profile', 'reports']) {
  find(`#${name}`).addEventListener('click', () =>
    run(async () => {
      const reply = await client.fetch(`/api/${name}`) // fetch, with an access token
      const body = await reply.json()
      show(reply.ok ? JSON.stringify(body) : `${reply.status} ${body.code}: ${body.detail}`)
    }),
  )
}

await run(() => client.session()) // who is logged in since an earlier visit?
