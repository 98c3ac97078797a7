import type { Context as HonoContext } from 'hono'
import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import type { HttpEnv } from '../http/env.ts'
import { formDecode } from '../http/form.ts'
import type { ReadOrigin } from '../http/request-origin.ts'
import { FIRST_PARTY } from '../sessions/tokens.ts'
import { authenticateClient, type ClientCredentials } from './client-credentials.ts'

/** Client credentials in the body (RFC 6749 §2.3.1). */
interface ClientParameters {
  readonly client_id?: string | undefined
  readonly client_secret?: string | undefined
}

/** The calling client: an authenticated API client, or the first-party client, which is public. */
export type OAuthCaller = Awaited<ReturnType<typeof authenticateClient>> | 'public'

/**
 * Authenticates the calling client.
 *
 * @throws {AuthError} `invalid_client`, or `invalid_request` for two methods in one request
 */
export async function authenticateCaller(
  context: Context,
  c: HonoContext<HttpEnv>,
  parameters: ClientParameters,
  requestOrigin: ReadOrigin,
): Promise<OAuthCaller> {
  // Not supported, and must not be ignored: the sender expects to be authenticated.
  if ((await c.req.formData()).has('client_assertion')) throw unauthenticated('Client assertions are not supported')
  const credentials = readCredentials(c.req.header('Authorization'), parameters)
  return credentials === undefined ? 'public' : authenticateClient(context, credentials, requestOrigin(c))
}

/**
 * Returns undefined for the first-party client, which may omit its id. An empty secret counts as
 * omitted (§2.3.1).
 */
function readCredentials(
  authorization: string | undefined,
  { client_id, client_secret }: ClientParameters,
): ClientCredentials | undefined {
  if (authorization === undefined) return nameOrCredentials(client_id, client_secret)
  const basic = readBasic(authorization)
  if (basic === undefined) throw unauthenticated('The Authorization header is not valid Basic authentication')
  if (client_secret !== undefined) throw invalid('The client authenticates twice: use either the header or the body')
  if (client_id !== undefined && client_id !== basic.id)
    throw invalid('client_id differs from the client of the header')
  return nameOrCredentials(basic.id, basic.secret === '' ? undefined : basic.secret)
}

function nameOrCredentials(id: string | undefined, secret: string | undefined): ClientCredentials | undefined {
  if (secret === undefined) {
    if (id === undefined || id === FIRST_PARTY) return undefined
    throw unauthenticated('This client must authenticate')
  }
  if (id === undefined) throw invalid('client_secret needs client_id')
  return { id, secret }
}

/** Parses RFC 7617, with form-encoded id and secret (RFC 6749 §2.3.1). */
function readBasic(authorization: string): ClientCredentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const octets = Buffer.from(encoded, 'base64').toString('latin1')
  const colon = octets.indexOf(':')
  const [id, secret] = [formDecode(octets.slice(0, Math.max(colon, 0))), formDecode(octets.slice(colon + 1))]
  return colon < 1 || id === undefined || secret === undefined ? undefined : { id, secret }
}

/** The error for a missing parameter. */
export function missing(parameter: string): AuthError {
  return invalid(`The parameter ${parameter} is missing`)
}

/** The error for a client that did not authenticate. */
export function unauthenticated(detail: string): AuthError {
  return new AuthError('invalid_client', detail)
}

function invalid(detail: string): AuthError {
  return new AuthError('invalid_request', detail)
}
