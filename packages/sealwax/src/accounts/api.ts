import { checkedCalls, ORIGIN } from '../core/calls.ts'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { checkDevice, checkThumbprint } from '../sessions/rules.ts'
import type { PasswordCredentials } from './authentication.ts'
import { type ImportCounts, type ImportOptions, importGiven } from './import.ts'
import type { ImportUser } from './import-rows.ts'
import { type Invitation, type InviteUser, inviteUser } from './invitations.ts'
import { type Credentials, type LoggedIn, login } from './login.ts'
import { needPassword } from './new-hashes.ts'
import { verifyPassword } from './own-account.ts'
import { startReset } from './password-reset.ts'
import type { UserChange } from './profile.ts'
import { type ListUsers, listUsers } from './user-list.ts'
import {
  type CreateUser,
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

/** `auth.users`: the built-in users. */
export interface UsersApi {
  /**
   * Creates a user.
   *
   * @throws {AuthError} `attributes_invalid`, `email_invalid`, `email_taken`, `id_taken`,
   *   `validation_failed`, `password_hash_invalid`, and the codes of a refused password, which
   *   begin with `password_`
   * @example await auth.users.create({ email: 'alex@example.com', password, roles: ['teacher'] })
   */
  create(user: CreateUser): Promise<User>
  /** Returns the user with this id, or undefined. */
  get(id: string): Promise<User | undefined>
  /**
   * Returns the user with this e-mail address in any spelling, or undefined.
   *
   * @throws {AuthError} `email_invalid`
   */
  find(email: string): Promise<User | undefined>
  /**
   * Returns a page of users, ordered by id. With `query`, first those whose address begins with it,
   * ordered by address, then those whose name does, ordered by name.
   *
   * @throws {AuthError} `validation_failed`, with `query` also when there is no user `after`
   */
  list(page?: ListUsers): Promise<User[]>
  /**
   * Changes a user. A new password ends all sessions of the user.
   *
   * @throws {AuthError} `attributes_invalid`, `not_found`, `email_invalid`, `email_taken`,
   *   `validation_failed`, and the codes of a refused password, which begin with `password_`
   */
  update(id: string, change: UserChange): Promise<User>
  /**
   * Sets a new password and ends all sessions of the user.
   *
   * @throws {AuthError} `not_found`, `password_too_short`, `password_too_long`, `validation_failed`
   */
  setPassword(id: string, password: string): Promise<User>
  /**
   * Replaces the roles. Access tokens with the old roles become stale; clients renew them silently.
   *
   * @throws {AuthError} `not_found`, `validation_failed`
   */
  setRoles(id: string, roles: readonly string[]): Promise<User>
  /**
   * Disables a user and ends all of its sessions.
   *
   * @throws {AuthError} `not_found`
   */
  disable(id: string): Promise<User>
  /**
   * Allows a disabled user to log in again.
   *
   * @throws {AuthError} `not_found`
   */
  enable(id: string): Promise<User>
  /**
   * Sends an invitation to an address; the user chooses a password.
   *
   * @throws {AuthError} `email_invalid`, `email_taken`, `validation_failed`, `mail_unavailable`,
   * `registration_disabled`
   */
  invite(user: InviteUser): Promise<Invitation>
  /**
   * Creates users of another system with the hashes of their passwords. Users who exist are left as
   * they are, so an import that was interrupted can be repeated.
   *
   * @throws {AuthError} `validation_failed` for wrong options, `temporarily_unavailable`. A row
   * that cannot be stored is counted and passed to `onRefused`
   * @example await auth.users.import([{ email: 'alex@example.com', passwordHash: '$2b$12$…' }])
   */
  import(rows: Iterable<ImportUser> | AsyncIterable<ImportUser>, options?: ImportOptions): Promise<ImportCounts>
  /**
   * Sends a user the mail for a new password.
   *
   * @throws {AuthError} `not_found`, `mail_unavailable`
   */
  startReset(id: string): Promise<void>
  /** Deletes a user and ends all of its sessions. Returns false if there is no such user. */
  delete(id: string): Promise<boolean>
}

/** Log-in for routes of the application. */
export interface LoginApi {
  /**
   * Checks a password and starts a session, as `POST /login` does.
   *
   * @throws {AuthError} `invalid_credentials`, `user_disabled`, `overloaded`, `validation_failed`,
   * `temporarily_unavailable`
   * @example const { tokens, user } = await auth.login({ email, password }, { ip, userAgent })
   */
  login(credentials: Credentials, origin?: RequestOrigin): Promise<LoggedIn>
  /**
   * Checks a password without starting a session. Returns undefined for a wrong password and, after
   * the same work, for an unknown user.
   *
   * @throws {AuthError} `user_disabled` with the right password; `overloaded`, `validation_failed`,
   * `temporarily_unavailable`
   */
  verifyPassword(credentials: PasswordCredentials, origin?: RequestOrigin): Promise<User | undefined>
}

/** Creates `auth.login`, `auth.verifyPassword` and `auth.users`. */
export function accountsApi(context: Context): Pick<LoginApi, keyof LoginApi> & { readonly users: UsersApi } {
  return { ...loginApi(context), ...usersApi(context) }
}

function loginApi(context: Context): LoginApi {
  const origin = ['origin?', { ...ORIGIN, by: 'string?' }] as const
  return checkedCalls<LoginApi>(
    'auth',
    {
      async login(credentials, from) {
        checkDevice(credentials.device)
        checkThumbprint(credentials.jkt)
        return login(context, credentials, from)
      },
      verifyPassword: (credentials, from) => verifyPassword(context, credentials, from),
    },
    {
      login: [
        [
          'credentials',
          {
            email: 'string',
            password: 'string',
            remember: 'boolean?',
            device: 'any?',
            jkt: 'any?',
            deviceToken: 'string?',
          },
        ],
        origin,
      ],
      verifyPassword: [['credentials', { email: 'string', password: 'string', deviceToken: 'string?' }], origin],
    },
  )
}

function usersApi(context: Context): { readonly users: UsersApi } {
  return {
    users: checkedCalls<UsersApi>(
      'users',
      {
        async create(user) {
          needPassword(user)
          return createUser(context, user)
        },
        get: (id) => getUser(context, id),
        find: (email) => findUser(context, email),
        list: (page) => listUsers(context, page),
        update: (id, change) => updateUser(context, id, change),
        setPassword: (id, password) => updateUser(context, id, { password }),
        setRoles: (id, roles) => setRoles(context, id, roles),
        disable: (id) => disableUser(context, id),
        enable: (id) => enableUser(context, id),
        invite: (user) => inviteUser(context, user),
        import: (rows, options) => importGiven(context, rows, options),
        startReset: (id) => startReset(context, id),
        delete: (id) => deleteUser(context, id),
      },
      {
        create: [
          [
            'user',
            {
              ...{ email: 'string', password: 'string?', passwordHash: 'string?', id: 'string?', roles: 'strings?' },
              ...{ name: 'text?', attributes: 'any?', emailVerified: 'boolean?' },
            },
          ],
        ],
        get: ['id'],
        find: ['email'],
        list: [
          [
            'page?',
            {
              ...{ query: 'string?', role: 'string?', disabled: 'boolean?', emailVerified: 'boolean?' },
              ...{ after: 'string?', limit: 'integer?' },
            },
          ],
        ],
        update: [
          'id',
          [
            'change',
            {
              ...{ email: 'string?', password: 'string?' },
              ...{ name: 'text?', attributes: 'any?', emailVerified: 'boolean?' },
            },
          ],
        ],
        setPassword: ['id', 'password'],
        setRoles: ['id', null],
        disable: ['id'],
        enable: ['id'],
        invite: [['user', { email: 'string', roles: 'strings?' }]],
        import: [
          null,
          ['options?', { verified: 'boolean?', dryRun: 'boolean?', onRefused: 'any?', onProgress: 'any?' }],
        ],
        startReset: ['id'],
        delete: ['id'],
      },
    ),
  }
}
