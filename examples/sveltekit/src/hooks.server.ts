import type { Handle } from '@sveltejs/kit/hooks'
import { authServer } from './lib/server/auth.ts'
import { loadUser } from './lib/server/session.ts'

export const handle: Handle = async ({ event, resolve }) => {
  const auth = await authServer()
  // /auth/login, /auth/refresh …: for apps, which have no cookies.
  if (auth.handles(event.url.pathname)) return auth.fetch(event.request, { address: event.getClientAddress() })
  event.locals.auth = auth
  event.locals.user = await loadUser(auth, event)
  const response = await resolve(event)
  response.headers.set('Cache-Control', 'no-store') // every page depends on the user
  return response
}
