import { sqliteStore } from 'sealwax/sqlite'
import { answerAt } from '../hosts.ts'

/** The options that every server has. */
export const options = {
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
  secret: 'a test value of the pages, which no server uses',
  store: sqliteStore(':memory:'),
  appName: 'Example',
  mailFrom: 'Example <no-reply@example.com>',
}

process.env.MAIL_KEY = 'a test value, and no key'
answerAt('https://mail.example.com', async (request) => {
  const { to, subject, text } = await request.json()
  const isComplete = to === 'ann@example.com' && subject.includes('Example') && text !== ''
  return new Response(null, { status: isComplete ? 202 : 422 })
})
