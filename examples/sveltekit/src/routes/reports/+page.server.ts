import { loggedIn } from '../../lib/server/guarded.ts'
import type { PageServerLoad } from './$types'

export const load: PageServerLoad = ({ locals }) => {
  loggedIn(locals, 'teacher')
  return { months: ['January', 'February'] }
}
