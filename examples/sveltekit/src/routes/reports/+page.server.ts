import type { ServerLoad } from '@sveltejs/kit'
import { loggedIn } from '../../lib/server/guarded.ts'

export const load: ServerLoad = ({ locals }) => {
  loggedIn(locals, 'teacher')
  return { months: ['January', 'February'] }
}
