import { protect } from 'sealwax/fetch'
import type { RequestHandler } from './$types'

/** For apps that send the access token themselves: `Authorization: Bearer …`. */
export const GET: RequestHandler = ({ locals, request }) =>
  protect(locals.auth.guard, (_request, { subject }) => Response.json({ user_id: subject }))(request)
