import { checkedCalls } from '../core/calls.ts'
import type { Context } from '../core/context.ts'
import {
  type KeyRevocation,
  listKeys,
  type RevokeKeyOptions,
  revokeKey,
  rotateKeys,
  type SigningKeyInfo,
} from './rotation.ts'

/** `auth.keys`: the signing keys. */
export interface KeysApi {
  /** Returns all keys, oldest first. */
  list(): Promise<SigningKeyInfo[]>
  /**
   * Makes the next key sign as soon as verifiers can know it, usually immediately. The current key
   * stays valid until its last token has expired.
   *
   * @returns all keys, oldest first
   * @throws {AuthError} `temporarily_unavailable`
   */
  rotate(): Promise<SigningKeyInfo[]>
  /**
   * Revokes a key in an emergency: the next key signs immediately, and guards refuse the tokens of
   * the revoked key. Clients renew them silently, unless `endSessions` is given.
   *
   * @throws {AuthError} `not_found` for a key that is unknown, retired or already revoked;
   * `validation_failed`
   * @example
   * await auth.keys.revoke(kid, { endSessions: true })
   */
  revoke(kid: string, options?: RevokeKeyOptions): Promise<KeyRevocation>
}

/** Creates `auth.keys`. */
export function keysApi(context: Context): { readonly keys: KeysApi } {
  return {
    keys: checkedCalls<KeysApi>(
      'keys',
      {
        list: () => listKeys(context),
        rotate: () => rotateKeys(context),
        revoke: (kid, options) => revokeKey(context, kid, options),
      },
      {
        list: [],
        rotate: [],
        revoke: ['kid', ['options?', { endSessions: 'boolean?', all: 'boolean?', dryRun: 'boolean?' }]],
      },
    ),
  }
}
