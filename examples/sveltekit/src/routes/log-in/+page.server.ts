import { fail, redirect } from '@sveltejs/kit'
import { AuthError } from 'sealwax'
import { logIn } from '../../lib/server/session.ts'
import type { Actions } from './$types'

export const actions = {
  default: async (event) => {
    const form = await event.request.formData()
    const email = String(form.get('email') ?? '')
    try {
      await logIn(event, { email, password: String(form.get('password') ?? '') })
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      if (error.retryAfter !== undefined) event.setHeaders({ 'Retry-After': String(error.retryAfter) })
      return fail(error.status, { email, problem: error.detail })
    }
    redirect(303, '/notes')
  },
} satisfies Actions
