import type { Auth } from '@sealwax/guard'
import { error, redirect } from '@sveltejs/kit'

/**
 * Returns the user. Call it in every `load` and every action of a guarded page: a layout does not
 * guard the actions of its pages.
 */
export function loggedIn({ user }: App.Locals, role?: string): Auth {
  if (user === undefined) redirect(303, '/log-in')
  if (role !== undefined && !user.roles.includes(role)) error(403, `Only a ${role} can read this page.`)
  return user
}
