import { checkedCalls, PAGE } from '../core/calls.ts'
import type { Context } from '../core/context.ts'
import {
  type CreateUser,
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  findUser,
  getUser,
  listUsers,
  setRoles,
  type User,
  updateUser,
} from './users.ts'

/** `auth.users`: the built-in users. */
export interface UsersApi {
  /**
   * Creates a user.
   *
   * @throws {AuthError} `email_invalid`, `email_taken`, `id_taken`, `validation_failed`,
   * `password_hash_invalid`, and the codes of a refused password, which begin with `password_`
   * @example
   * await auth.users.create({ email: 'alex@example.com', password, roles: ['teacher'] })
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
   * Returns a page of users, ordered by id.
   *
   * @param page `limit` is 50 by default, at most 500; `after` is the last id of the previous page
   */
  list(page?: { after?: string; limit?: number }): Promise<User[]>
  /**
   * Changes the e-mail address or the password. A new password ends all sessions of the user.
   *
   * @throws {AuthError} `not_found`, `email_invalid`, `email_taken`, `validation_failed`, and the
   * codes of a refused password, which begin with `password_`
   */
  update(id: string, change: { email?: string; password?: string }): Promise<User>
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
  /** Deletes a user and ends all of its sessions. Returns false if there is no such user. */
  delete(id: string): Promise<boolean>
}

/** Creates `auth.users`. */
export function usersApi(context: Context): { readonly users: UsersApi } {
  return {
    users: checkedCalls<UsersApi>(
      'users',
      {
        create: (user) => createUser(context, user),
        get: (id) => getUser(context, id),
        find: (email) => findUser(context, email),
        list: (page) => listUsers(context, page),
        update: (id, change) => updateUser(context, id, change),
        setRoles: (id, roles) => setRoles(context, id, roles),
        disable: (id) => disableUser(context, id),
        enable: (id) => enableUser(context, id),
        delete: (id) => deleteUser(context, id),
      },
      {
        create: [
          ['user', { email: 'string', password: 'string?', passwordHash: 'string?', id: 'string?', roles: 'strings?' }],
        ],
        get: ['id'],
        find: ['email'],
        list: [PAGE],
        update: ['id', ['change', { email: 'string?', password: 'string?' }]],
        setRoles: ['id', null],
        disable: ['id'],
        enable: ['id'],
        delete: ['id'],
      },
    ),
  }
}
