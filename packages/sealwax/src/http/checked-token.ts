import { type Auth, type Guard, GuardError } from '@sealwax/guard'

/** An access token that was sent to be talked about, checked as the guard checks one that is used; or why it would be refused. */
export async function checkedToken(guard: Guard, token: string): Promise<Auth | GuardError> {
  try {
    return await guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
  } catch (error) {
    // 503: whether it would be refused cannot be told now.
    if (error instanceof GuardError && error.status !== 503) return error
    throw error
  }
}
