import type { AuthServer } from 'sealwax'

/** Known to everybody who reads this: such users belong in an example and nowhere else. */
const PASSWORD = 'change-this-demo-password'
export const ALEX = { id: 'user-123', email: 'alex@example.com', password: PASSWORD }
export const ROBIN = { id: 'user-456', email: 'robin@example.com', password: PASSWORD, roles: ['teacher'] }

/** Creates the demo users on the first start. */
export async function createDemoUsers(auth: AuthServer): Promise<void> {
  for (const user of [ALEX, ROBIN]) {
    if ((await auth.users.get(user.id)) === undefined) await auth.users.create(user)
  }
}

/** What `npm start` prints: commands to paste. */
export function welcome(url: string): string {
  const credentials = JSON.stringify({ email: ALEX.email, password: ALEX.password })
  const logIn = `curl --request POST ${url}/login --header "Content-Type: application/json" --data '${credentials}'`
  const { port } = new URL(url)
  return `
The learning platform is ready: ${url}   (Ctrl-C ends it)
Log in as ${ALEX.email}, or as the teacher ${ROBIN.email}; both have the password ${PASSWORD}
Warning: this is a demo, with plain http and a password that everybody knows. Never let others reach it.

Log in:
  ${logIn}

See the profile, with the access_token of the answer:
  curl ${url}/profile --header "Authorization: Bearer <access_token>"

Or let the shell put the token in:
  ACCESS_TOKEN=$(${logIn} --silent | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl ${url}/profile --header "Authorization: Bearer $ACCESS_TOKEN"

See what else there is, step by step, in a second terminal:
  ${port === '5000' ? '' : `PORT=${port} `}npm run tour
`
}
