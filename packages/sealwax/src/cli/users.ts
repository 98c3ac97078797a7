import { text } from 'node:stream/consumers'
import { type AuthServer, createAuth } from '../auth.ts'
import type { Environment } from './env.ts'
import { storeOf } from './store.ts'

/** `sealwax users create`: the password comes from standard input, so that no process list or shell history holds it. */
export async function usersCreate(
  environment: Environment,
  options: { email: string; id?: string; role: string[] },
): Promise<void> {
  if (process.stdin.isTTY) console.error('Type the password, then Enter and Ctrl-D:')
  const password = (await text(process.stdin)).replace(/\r?\n$/, '')
  const { email, id, role } = options
  await using(environment, async (auth) => {
    const user = await auth.users.create({ email, password, roles: role, ...(id !== undefined && { id }) })
    console.log(JSON.stringify(user))
  })
}

/** `sealwax users list`: one JSON line a user. */
export async function usersList(environment: Environment): Promise<void> {
  await using(environment, async (auth) => {
    for (let page = await auth.users.list({ limit: 500 }); page.length > 0; ) {
      for (const user of page) console.log(JSON.stringify(user))
      page = await auth.users.list({ limit: 500, after: page.at(-1)?.id as string })
    }
  })
}

/** Opens the auth server of the environment for one command. */
export async function using(environment: Environment, run: (auth: AuthServer) => Promise<void>): Promise<void> {
  const auth = await createAuth({ ...environment.auth, store: storeOf(environment.databaseUrl) })
  try {
    await run(auth)
  } finally {
    await auth.close()
  }
}
