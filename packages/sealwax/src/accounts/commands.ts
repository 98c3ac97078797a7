import { text } from 'node:stream/consumers'
import { type Command, print } from '../cli/command.ts'
import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import { revokeAllSessions } from '../sessions/end.ts'
import { listSessions } from '../sessions/list.ts'
import { adminUserBody, sessionBody, userDetailsBody } from './admin-user-routes.ts'
import { describeUser } from './administration.ts'
import { importFile } from './import-commands.ts'
import { invitationBody } from './invitation-routes.ts'
import { inviteUser } from './invitations.ts'
import { startReset } from './password-reset.ts'
import { listUsers } from './user-list.ts'
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  findUser,
  getUser,
  setRoles,
  type User,
  updateUser,
} from './users.ts'

const create: Command<{ email: string; id?: string; role?: string[]; admin?: boolean }> = {
  name: 'create',
  description: 'create a user; the password is read from standard input',
  options: [
    { flags: '--email <address>', description: 'the e-mail address for log-in', required: true },
    { flags: '--id <id>', description: 'the user id (default: a random one)' },
    { flags: '--role <role>', description: 'a role; may be repeated', repeated: true },
    {
      flags: '--admin',
      description: 'make an administrator: adds the role that may call /admin/* (SEALWAX_ADMIN_ROLE)',
    },
  ],
  async run(context, { email, id, role = [], admin = false }) {
    const roles = admin ? [...role, context.config.adminRole] : role
    const password = await readPassword()
    print(adminUserBody(await createUser(context, { email, password, roles, ...(id !== undefined && { id }) })))
  },
}

const list: Command<{ query?: string; role?: string; disabled?: true; unverified?: true }> = {
  name: 'list',
  description: 'list users, one JSON line each',
  options: [
    { flags: '--query <text>', description: 'only those whose e-mail address or name begins with this text' },
    { flags: '--role <role>', description: 'only those with this role' },
    { flags: '--disabled', description: 'only those that are disabled' },
    { flags: '--unverified', description: 'only those who have not shown that the address is theirs' },
  ],
  async run(context, { query, role, disabled, unverified }) {
    const filter = { query, role, disabled, emailVerified: unverified ? false : undefined, limit: 500 }
    for (let page = await listUsers(context, filter); page.length > 0; ) {
      for (const user of page) print(adminUserBody(user))
      page = await listUsers(context, { ...filter, after: page.at(-1)?.id })
    }
  },
}

const show: Command<{ user: string }> = {
  name: 'show',
  description: 'show a user with live sessions and the last 20 audit events, as one JSON line',
  arguments: [['<user>']],
  async run(context, { user }) {
    print(userDetailsBody(await describeUser(context, (await requireUser(context, user)).id)))
  },
}

const update: Command<{ user: string; email?: string; name?: string }> = {
  name: 'update',
  description: 'change the e-mail address or the name',
  arguments: [['<user>']],
  options: [
    { flags: '--email <address>', description: 'the new address; it counts as verified' },
    { flags: '--name <name>', description: 'the new name; an empty one removes it' },
  ],
  async run(context, { user, email, name }) {
    if (email === undefined && name === undefined) {
      throw new AuthError('validation_failed', 'There is nothing to change: give --email or --name')
    }
    const { id } = await requireUser(context, user)
    const named = name === undefined ? {} : { name: name === '' ? null : name }
    print(adminUserBody(await updateUser(context, id, { ...(email !== undefined && { email }), ...named })))
  },
}

const invite: Command<{ email: string; role?: string[] }> = {
  name: 'invite',
  description: 'send an invitation; the user chooses a password',
  options: [
    { flags: '--email <address>', description: 'where it is sent', required: true },
    { flags: '--role <role>', description: 'a role of the new user; may be repeated', repeated: true },
  ],
  async run(context, { email, role = [] }) {
    print(invitationBody(await inviteUser(context, { email, roles: role })))
  },
}

const reset: Command<{ user: string }> = {
  name: 'reset',
  description: 'send the mail for a new password',
  arguments: [['<user>']],
  async run(context, { user }) {
    const { id, email } = await requireUser(context, user)
    await startReset(context, id)
    console.log(`A server will send the mail to ${email}`)
  },
}

const changeRoles: Command<{ user: string; role?: string[]; none?: true }> = {
  name: 'set-roles',
  description: 'replace the roles; access tokens with the old ones become stale',
  arguments: [['<user>']],
  options: [
    { flags: '--role <role>', description: 'a role; may be repeated', repeated: true },
    { flags: '--none', description: 'remove all roles' },
  ],
  async run(context, { user, role = [], none = false }) {
    if (role.length > 0 === none) throw new AuthError('validation_failed', 'Give either --role or --none')
    print(adminUserBody(await setRoles(context, (await requireUser(context, user)).id, role)))
  },
}

/** A command about one user. */
function ofUser(
  name: string,
  description: string,
  run: (context: Context, id: string) => Promise<void>,
): Command<{ user: string }> {
  return {
    name,
    description,
    arguments: [['<user>']],
    run: async (context, { user }) => run(context, (await requireUser(context, user)).id),
  }
}

const disable = ofUser('disable', 'disable a user; all sessions end', async (context, id) =>
  print(adminUserBody(await disableUser(context, id))),
)
const enable = ofUser('enable', 'allow a disabled user to log in again', async (context, id) =>
  print(adminUserBody(await enableUser(context, id))),
)
const remove = ofUser('delete', 'delete a user; all sessions end', async (context, id) => {
  if (!(await deleteUser(context, id))) throw noSuchUser()
})
const setPassword = ofUser(
  'set-password',
  'set a new password, read from standard input; all sessions end',
  async (context, id) => print(adminUserBody(await updateUser(context, id, { password: await readPassword() }))),
)

const sessions: Command<{ user: string; end?: boolean }> = {
  name: 'sessions',
  description: "list a user's live sessions, one JSON line each",
  arguments: [['<user>', 'or the subject of a user of the application']],
  options: [{ flags: '--end', description: 'end them all' }],
  // If there is no built-in user of this name, it is the subject of a user of the application.
  async run(context, { user: name, end = false }) {
    const user = await findByIdOrEmail(context, name)
    const subject = user?.id ?? name
    const live = await listSessions(context, subject)
    if (user !== undefined && user.id !== name && (await listSessions(context, name)).length > 0) {
      throw new AuthError(
        'validation_failed',
        `This is the e-mail address of the user ${user.id} and the subject of a user of the application. Use the id for the former`,
      )
    }
    if (user === undefined && live.length === 0) throw noSuchUser()
    if (end) console.log(`Sessions ended: ${await revokeAllSessions(context, subject)}`)
    else for (const session of live) print({ subject, ...sessionBody(session) })
  },
}

/** `sealwax users`. */
export const userCommands = {
  name: 'users',
  description: 'manage users, given by id or e-mail address',
  commands: [
    create,
    list,
    show,
    update,
    changeRoles,
    disable,
    enable,
    remove,
    setPassword,
    reset,
    invite,
    importFile,
    sessions,
  ],
} as const

/**
 * Reads from standard input, so that the password is not in the process list or the shell history.
 */
async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) console.error('Type the password, then Enter and Ctrl-D:')
  return (await text(process.stdin)).replace(/\r?\n$/, '')
}

async function requireUser(context: Context, name: string): Promise<User> {
  const user = await findByIdOrEmail(context, name)
  if (user === undefined) throw noSuchUser()
  return user
}

/**
 * Finds a user by id or e-mail address. An id may look like an address, and anyone may register
 * that address, so a name that matches two users is refused.
 */
async function findByIdOrEmail(context: Context, name: string): Promise<User | undefined> {
  const byId = await getUser(context, name)
  const byEmail = await findUser(context, name).catch(ignoreInvalidEmail)
  if (byId === undefined || byEmail === undefined || byId.id === byEmail.id) return byId ?? byEmail
  throw new AuthError(
    'validation_failed',
    `This is the id of one user and the e-mail address of another. Use the address ${byId.email} for the former, the id ${byEmail.id} for the latter`,
  )
}

function ignoreInvalidEmail(error: unknown): undefined {
  if (error instanceof AuthError && error.code === 'email_invalid') return undefined
  throw error
}

function noSuchUser(): AuthError {
  return new AuthError('not_found', 'There is no user with this id or e-mail address')
}
