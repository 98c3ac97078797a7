import { text } from 'node:stream/consumers'
import type { AuthServer } from '../auth-server.ts'
import { DEFAULT_ADMIN_ROLE } from '../config.ts'
import type { User } from '../engine/users.ts'
import { AuthError } from '../errors.ts'
import type { Environment } from './env.ts'
import { withAuth } from './store.ts'

/** `sealwax users create`. `--admin` adds the role that opens `/admin/*`. */
export async function usersCreate(
  environment: Environment,
  options: { email: string; id?: string; role: string[]; admin?: boolean },
): Promise<void> {
  const { email, id, role, admin = false } = options
  const roles = admin ? [...role, environment.auth.adminRole ?? DEFAULT_ADMIN_ROLE] : role
  const password = await readPassword()
  await withAuth(environment, async (auth) => {
    print(await auth.users.create({ email, password, roles, ...(id !== undefined && { id }) }))
  })
}

/** `sealwax users list`: one JSON line a user. */
export async function usersList(environment: Environment): Promise<void> {
  await withAuth(environment, async (auth) => {
    for (let page = await auth.users.list({ limit: 500 }); page.length > 0; ) {
      for (const user of page) print(user)
      page = await auth.users.list({ limit: 500, after: page.at(-1)?.id as string })
    }
  })
}

/** `sealwax users disable`: ends all sessions. */
export async function usersDisable(environment: Environment, name: string): Promise<void> {
  await withAuth(environment, async (auth) => print(await auth.users.disable((await userNamed(auth, name)).id)))
}

export async function usersEnable(environment: Environment, name: string): Promise<void> {
  await withAuth(environment, async (auth) => print(await auth.users.enable((await userNamed(auth, name)).id)))
}

/** `sealwax users delete`: ends all sessions. */
export async function usersDelete(environment: Environment, name: string): Promise<void> {
  await withAuth(environment, async (auth) => {
    if (!(await auth.users.delete((await userNamed(auth, name)).id))) throw noSuchUser()
  })
}

/** `sealwax users set-password`: ends all sessions. */
export async function usersSetPassword(environment: Environment, name: string): Promise<void> {
  await withAuth(environment, async (auth) => {
    const { id } = await userNamed(auth, name)
    print(await auth.users.update(id, { password: await readPassword() }))
  })
}

/**
 * `sealwax users sessions`: one JSON line a live session; with `--end` all of them end. What names no user of the built-in table is taken for the
 * subject of an application's own user.
 */
export async function usersSessions(
  environment: Environment,
  name: string,
  { end = false }: { end?: boolean },
): Promise<void> {
  await withAuth(environment, async (auth) => {
    const user = await findNamed(auth, name)
    const subject = user?.id ?? name
    const sessions = await auth.sessions.list(subject)
    if (user !== undefined && user.id !== name && (await auth.sessions.list(name)).length > 0) {
      throw new AuthError(
        'validation_failed',
        `This is the e-mail address of the user ${user.id} and the subject of an application's own user. Name the first by the id`,
      )
    }
    if (user === undefined && sessions.length === 0) throw noSuchUser()
    if (end) console.log(`Sessions ended: ${await auth.sessions.revokeAll(subject)}`)
    else for (const session of sessions) print(session)
  })
}

/** From standard input, so that no process list or shell history holds it. */
async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) console.error('Type the password, then Enter and Ctrl-D:')
  return (await text(process.stdin)).replace(/\r?\n$/, '')
}

async function userNamed(auth: AuthServer, name: string): Promise<User> {
  const user = await findNamed(auth, name)
  if (user === undefined) throw noSuchUser()
  return user
}

/**
 * The user with this id or e-mail address. An id may look like an address, and anybody may register that address: then it names two users, and
 * neither is touched.
 */
async function findNamed(auth: AuthServer, name: string): Promise<User | undefined> {
  const byId = await auth.users.get(name)
  const byEmail = await auth.users.find(name).catch(noAddress)
  if (byId === undefined || byEmail === undefined || byId.id === byEmail.id) return byId ?? byEmail
  throw new AuthError(
    'validation_failed',
    `This is the id of one user and the e-mail address of another. Name the first by the address ${byId.email}, the second by the id ${byEmail.id}`,
  )
}

function noAddress(error: unknown): undefined {
  if (error instanceof AuthError && error.code === 'email_invalid') return undefined
  throw error
}

function noSuchUser(): AuthError {
  return new AuthError('not_found', 'There is no user with this id or e-mail address')
}

function print(value: unknown): void {
  console.log(JSON.stringify(value))
}
