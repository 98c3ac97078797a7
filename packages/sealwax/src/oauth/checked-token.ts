import { type Auth, GuardError } from '@sealwax/guard'
import type { Context } from '../core/context.ts'
import { guardsOf } from '../core/guards.ts'

/**
 * Checks an access token that was sent as a parameter. Returns its claims, or why the guard refuses
 * it.
 */
export async function checkedToken(context: Context, token: string): Promise<Auth | GuardError> {
  try {
    return await guardsOf(context).parameters.authenticate({ headers: { authorization: `Bearer ${token}` } })
  } catch (error) {
    // With 503, the guard cannot decide now.
    if (error instanceof GuardError && error.status !== 503) return error
    throw error
  }
}
