import { type Auth, type Guard, GuardError } from '@sealwax/guard'

/**
 * Checks an access token that was sent as a parameter. Returns its claims, or why the guard refuses
 * it.
 */
export async function checkedToken(guard: Guard, token: string): Promise<Auth | GuardError> {
  try {
    return await guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
  } catch (error) {
    // With 503, the guard cannot decide now.
    if (error instanceof GuardError && error.status !== 503) return error
    throw error
  }
}
