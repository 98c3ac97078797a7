import type { AuthServer } from 'sealwax'

/** A public password. Use such users only in an example. */
const PASSWORD = 'change-this-demo-password'
export const ALEX = { id: 'user-123', email: 'alex@example.com', password: PASSWORD }
export const ROBIN = { id: 'user-456', email: 'robin@example.com', password: PASSWORD, roles: ['teacher'] }

/** Creates the demo users on the first start. */
export async function createDemoUsers(auth: AuthServer): Promise<void> {
  for (const user of [ALEX, ROBIN]) {
    if ((await auth.users.get(user.id)) === undefined) await auth.users.create(user)
  }
}

/** What `npm start` prints: commands to copy. */
export function welcome(url: string): string {
  const credentials = JSON.stringify({ email: ALEX.email, password: ALEX.password })
  const logIn = `curl --request POST ${url}/login --header "Content-Type: application/json" --data '${credentials}'`
  const { port } = new URL(url)
  return `
The learning platform is ready: ${url}   (Ctrl-C stops it)
Log in as ${ALEX.email}, or as the teacher ${ROBIN.email}; both have the password ${PASSWORD}
Warning: this is a demo with plain http and a public password. Do not make it reachable for others.

Log in:
  ${logIn}

Get the profile, with the access_token of the response:
  curl ${url}/profile --header "Authorization: Bearer <access_token>"

Or let the shell insert the token:
  ACCESS_TOKEN=$(${logIn} --silent | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl ${url}/profile --header "Authorization: Bearer $ACCESS_TOKEN"

Take a tour of the other features, in a second terminal:
  ${port === '5000' ? '' : `PORT=${port} `}npm run tour

Look into a token, in a browser: ${url}/inspect
Learn how all of this works, step by step, in a second terminal:
  npm run sealwax -- learn
`
}
