import { parseSecureUrl } from './urls.ts'

/** What {@link protectedResourceMetadata} is told about an API. */
export interface ProtectedResourceOptions {
  /** The API's own URL (RFC 9728 §1.2), which is also a good `audience`: https, or http on loopback. */
  readonly resource: string
  /** The issuers whose tokens it accepts; at least one. */
  readonly authorizationServers: readonly string[]
  /** The scopes that its routes may require. */
  readonly scopesSupported?: readonly string[]
}

/** The metadata of a protected resource (RFC 9728 §2). */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  /** How a token may be sent (RFC 6750 §2): this guard reads no other place that a client could know of. */
  readonly bearer_methods_supported: readonly ['header']
}

const MEMBERS: ReadonlySet<string> = new Set(['resource', 'authorizationServers', 'scopesSupported'])

/**
 * The document by which a client that was refused finds out where to get a token (RFC 9728). Serve it as JSON, without a guard, at
 * `/.well-known/oauth-protected-resource`, followed by the path of `resource` if it has one:
 * `Response.json(protectedResourceMetadata(…))`; and name that URL in the guard's `resourceMetadata`, so that challenges point to it.
 * @throws TypeError for unknown or `undefined` members, and for what is not a URL or a scope
 */
export function protectedResourceMetadata(options: ProtectedResourceOptions): ProtectedResourceMetadata {
  for (const [name, value] of Object.entries(options)) {
    if (!MEMBERS.has(name)) throw new TypeError(`protectedResourceMetadata: unknown option "${name}"`)
    if (value === undefined) throw new TypeError(`protectedResourceMetadata: ${name} is undefined`)
  }
  const { resource, authorizationServers, scopesSupported } = options
  if (parseSecureUrl(resource) === undefined) {
    throw new TypeError('protectedResourceMetadata: resource must be an https URL without fragment')
  }
  if (!isListOf(authorizationServers, (server) => parseSecureUrl(server) !== undefined)) {
    throw new TypeError('protectedResourceMetadata: authorizationServers must be a list of https URLs')
  }
  // scope-token, RFC 6749 §3.3
  if (
    scopesSupported !== undefined &&
    !isListOf(scopesSupported, (scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  ) {
    throw new TypeError('protectedResourceMetadata: scopesSupported must be a list of scopes')
  }
  return {
    resource,
    authorization_servers: [...authorizationServers],
    ...(scopesSupported !== undefined && { scopes_supported: [...scopesSupported] }),
    bearer_methods_supported: ['header'],
  }
}

function isListOf(value: unknown, test: (member: string) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((member) => typeof member === 'string' && test(member))
}
