import { type Actions, fail, redirect } from '@sveltejs/kit'
import { AuthError } from 'sealwax'
import { clientOf } from '../../lib/server/auth.ts'
import { endSession, storeTokens } from '../../lib/server/session.ts'

export const actions: Actions = {
  default: async (event) => {
    const { auth, user } = event.locals
    const form = await event.request.formData()
    const email = String(form.get('email') ?? '')
    try {
      const { tokens } = await auth.login(
        { email, password: String(form.get('password') ?? '') },
        clientOf(auth, event),
      )
      if (user !== undefined) await endSession(auth, event) // the session of an earlier log-in
      storeTokens(event, tokens)
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      if (error.retryAfter !== undefined) event.setHeaders({ 'Retry-After': String(error.retryAfter) })
      return fail(error.status, { email, problem: error.detail })
    }
    redirect(303, '/notes')
  },
}
