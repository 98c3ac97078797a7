import { redirect } from '@sveltejs/kit'
import { logOut } from '../../lib/server/session.ts'
import type { Actions } from './$types'

export const load = () => redirect(303, '/notes')

export const actions = {
  default: async (event) => {
    await logOut(event)
    redirect(303, '/log-in')
  },
} satisfies Actions
