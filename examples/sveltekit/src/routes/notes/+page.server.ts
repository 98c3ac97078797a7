import { loggedIn } from '../../lib/server/guarded.ts'
import type { Actions, PageServerLoad } from './$types'

const notesOf = new Map<string, string[]>() // a demo: a real program has a table

export const load: PageServerLoad = ({ locals }) => {
  const { subject } = loggedIn(locals)
  return { subject, notes: notesOf.get(subject) ?? [] }
}

export const actions = {
  default: async ({ locals, request }) => {
    const { subject } = loggedIn(locals)
    const note = String((await request.formData()).get('note') ?? '').slice(0, 200)
    notesOf.set(subject, [...(notesOf.get(subject) ?? []), note])
  },
} satisfies Actions
