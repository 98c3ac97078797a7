import type { Context as HonoContext } from 'hono'
import type { Context } from '../engine/context.ts'
import { authenticateClient, type ClientCredentials } from '../engine/grants.ts'
import { FIRST_PARTY } from '../engine/tokens.ts'
import { AuthError } from '../errors.ts'
import type { ReadClient } from './client.ts'
import type { HttpEnv } from './env.ts'
import { formDecode } from './form.ts'

/** The parameters by which a client says who it is (RFC 6749 §2.3.1). */
interface ClientParameters {
  readonly client_id?: string | undefined
  readonly client_secret?: string | undefined
}

/** The client that calls: an API client that has proved itself, or the first-party one, which is public and has nothing to prove. */
export type OAuthCaller = Awaited<ReturnType<typeof authenticateClient>> | 'public'

/** Reads and checks who calls. Throws `invalid_client`, or `invalid_request` for two ways at once. */
export async function authenticateCaller(
  context: Context,
  c: HonoContext<HttpEnv>,
  parameters: ClientParameters,
  clientOf: ReadClient,
): Promise<OAuthCaller> {
  // No parameter that the document offers, but who sends one means to prove something.
  if ((await c.req.formData()).has('client_assertion')) throw unauthenticated('Assertions of clients are not supported')
  const credentials = credentialsOf(c.req.header('Authorization'), parameters)
  return credentials === undefined ? 'public' : authenticateClient(context, credentials, clientOf(c))
}

/** Undefined: the first-party client, which needs no name. An empty secret is none (§2.3.1). */
function credentialsOf(
  authorization: string | undefined,
  { client_id, client_secret }: ClientParameters,
): ClientCredentials | undefined {
  if (authorization === undefined) return nameOrCredentials(client_id, client_secret)
  const basic = readBasic(authorization)
  if (basic === undefined) throw unauthenticated('The Authorization header is not well-formed Basic')
  if (client_secret !== undefined) throw invalid('The client authenticates twice: keep the header or the body')
  if (client_id !== undefined && client_id !== basic.id) throw invalid('client_id names another client than the header')
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

/** RFC 7617, with id and secret form-encoded inside (RFC 6749 §2.3.1). */
function readBasic(authorization: string): ClientCredentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const octets = Buffer.from(encoded, 'base64').toString('latin1')
  const colon = octets.indexOf(':')
  const [id, secret] = [formDecode(octets.slice(0, Math.max(colon, 0))), formDecode(octets.slice(colon + 1))]
  return colon < 1 || id === undefined || secret === undefined ? undefined : { id, secret }
}

export function missing(parameter: string): AuthError {
  return invalid(`The parameter ${parameter} is missing`)
}

export function unauthenticated(detail: string): AuthError {
  return new AuthError('invalid_client', detail)
}

function invalid(detail: string): AuthError {
  return new AuthError('invalid_request', detail)
}
