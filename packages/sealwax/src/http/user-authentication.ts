import type { Auth, Guard } from '@sealwax/guard'
import { isClientToken } from '../core/client-id.ts'
import { AuthError } from '../errors.ts'

/** Authenticates a user. The access token of an API client is `invalid_request`. */
export async function authenticateUser(guard: Guard, request: Request): Promise<Auth> {
  const auth = await guard.authenticate(request)
  if (isClientToken(auth)) throw sessionless()
  return auth
}

export function sessionless(): AuthError {
  return new AuthError('invalid_request', 'This access token does not belong to a session')
}
