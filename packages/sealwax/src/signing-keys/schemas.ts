import { z } from '@hono/zod-openapi'
import { text, time } from '../http/schemas.ts'

const flag = (description: string) => z.boolean().default(false).openapi({ description })

/** A signing key as the API returns it. */
export const signingKey = z
  .object({
    kid: text('The key id, in the header of its tokens.', 'HjEf7pgCYoCk…'),
    alg: text('The algorithm of this key.', 'ES256'),
    state: z
      .enum(['published', 'signing', 'retiring', 'retired', 'revoked'])
      .openapi({ description: 'Waiting to sign, signing, only verifying, expired, or revoked.' }),
    created_at: time('When it was made and published.'),
    signs_from: time('When it began to sign, or will begin.'),
    signs_until: time('When the next key takes over; null while none is planned.').nullable(),
    retires_at: time('When it leaves the JWK Set; null while no next key is planned.').nullable(),
    revoked_at: time('When it was revoked; null if it was not.').nullable(),
  })
  .openapi('SigningKey')

/** The body of `POST /admin/keys/{kid}/revoke`. */
export const revokeKeyRequest = z
  .strictObject({
    end_sessions: flag('End the sessions that may have an access token of the key, instead of letting them renew.'),
    all: flag('Revoke all keys, including the standby.'),
    dry_run: flag('Change nothing and return what would happen.'),
  })
  .openapi('RevokeKeyRequest')

/** The reply to it. */
export const keyRevocation = z
  .object({
    revoked: z.array(z.string()).openapi({ description: 'The ids of the revoked keys.' }),
    signing: z.string().nullable().openapi({ description: 'The key that signs from now on; null for a new one.' }),
    sessions: z
      .number()
      .int()
      .openapi({ description: 'How many live sessions may have an access token of these keys.' }),
    subjects: z.number().int().openapi({ description: 'How many users these sessions belong to.' }),
    ends_sessions: z.boolean().openapi({ description: 'Whether these sessions end; otherwise they renew silently.' }),
  })
  .openapi('KeyRevocation')
