import { createClient } from '@sealwax/client'
import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'
import { answerAt } from '../hosts.ts'

const auth = await createAuth({
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
  secret: 'a test value of the pages, which no server uses',
  store: sqliteStore(':memory:'),
})
answerAt('https://auth.example.com', (request) => auth.fetch(request))

/** What a user has entered in a form. */
export const email = 'alex@example.com'
export const password = 'change-this-demo-password'
await auth.users.create({ email, password })

export const client = createClient({ baseUrl: 'https://auth.example.com' })

/** Shows a sentence next to the form. */
export function show(text: string): void {
  throw new Error(`the form shows: ${text}`)
}
