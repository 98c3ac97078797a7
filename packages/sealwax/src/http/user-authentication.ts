import type { Auth, Guard } from '@sealwax/guard'
import { isClientToken } from '../engine/grants.ts'
import { AuthError } from '../errors.ts'

/** Who sent the access token, on routes for users. That of an API client is nobody's: `invalid_request`. */
export async function authenticateUser(guard: Guard, request: Request): Promise<Auth> {
  const auth = await guard.authenticate(request)
  if (isClientToken(auth)) throw sessionless()
  return auth
}

export function sessionless(): AuthError {
  return new AuthError('invalid_request', 'This access token belongs to no session')
}
