import type { Duration } from '@sealwax/jwt'
import { checkedCalls, PAGE } from '../core/calls.ts'
import type { Context } from '../core/context.ts'
import {
  type ApiClient,
  type CreateApiClient,
  createClient,
  deleteClient,
  disableClient,
  enableClient,
  getClient,
  type IssuedSecret,
  listClients,
  rotateSecret,
  updateClient,
} from './clients.ts'

/** `auth.clients`: API clients for machines, which get tokens at `/oauth/token`. */
export interface ClientsApi {
  /**
   * Creates a client and its first secret, which no other call returns.
   *
   * @throws {AuthError} `validation_failed`
   * @example
   * const { client, secret } = await auth.clients.create({ name: 'x', scopes: ['orders:read'] })
   */
  create(client: CreateApiClient): Promise<IssuedSecret>
  /** Returns the client with this id, or undefined. */
  get(id: string): Promise<ApiClient | undefined>
  /**
   * Returns a page of clients, ordered by id.
   *
   * @param page `limit` is 50 by default, at most 500; `after` is the last id of the previous page
   */
  list(page?: { after?: string; limit?: number }): Promise<ApiClient[]>
  /**
   * Changes the name or the scopes. When a scope is removed, its access tokens become stale.
   *
   * @throws {AuthError} `not_found`, `validation_failed`
   */
  update(id: string, change: { name?: string; scopes?: readonly string[] }): Promise<ApiClient>
  /**
   * Creates a new secret. The current one stays valid for `overlap`: 24 hours by default, at most
   * 90 days. With 0, all other secrets expire immediately.
   *
   * @throws {AuthError} `not_found`, `validation_failed`, and `rotation_under_way` during the
   * overlap of an earlier rotation
   */
  rotate(id: string, options?: { overlap?: Duration }): Promise<IssuedSecret>
  /**
   * Disables a client. Its access tokens become stale.
   *
   * @throws {AuthError} `not_found`
   */
  disable(id: string): Promise<ApiClient>
  /**
   * Allows a disabled client to authenticate again. Its old access tokens stay stale.
   *
   * @throws {AuthError} `not_found`
   */
  enable(id: string): Promise<ApiClient>
  /** Deletes a client and its secrets. Returns false if there is no such client. */
  delete(id: string): Promise<boolean>
}

/** Creates `auth.clients`. */
export function clientsApi(context: Context): { readonly clients: ClientsApi } {
  return {
    clients: checkedCalls<ClientsApi>(
      'clients',
      {
        create: (client) => createClient(context, client),
        get: (id) => getClient(context, id),
        list: (page) => listClients(context, page),
        update: (id, change) => updateClient(context, id, change),
        rotate: (id, options) => rotateSecret(context, id, options),
        disable: (id) => disableClient(context, id),
        enable: (id) => enableClient(context, id),
        delete: (id) => deleteClient(context, id),
      },
      {
        create: [['client', { name: 'any', scopes: 'any?' }]],
        get: ['id'],
        list: [PAGE],
        update: ['id', ['change', { name: 'any?', scopes: 'any?' }]],
        rotate: ['id', ['options?', { overlap: 'any?' }]],
        disable: ['id'],
        enable: ['id'],
        delete: ['id'],
      },
    ),
  }
}
