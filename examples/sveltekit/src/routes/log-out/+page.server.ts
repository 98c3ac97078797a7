import { type Actions, redirect } from '@sveltejs/kit'
import { endSession } from '../../lib/server/session.ts'

export const load = () => redirect(303, '/notes')

export const actions: Actions = {
  default: async (event) => {
    await endSession(event.locals.auth, event)
    redirect(303, '/log-in')
  },
}
