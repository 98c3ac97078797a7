import { checkOptions, isListOf, mustBe, type OptionRules } from './strict-options.ts'
import { parseSecureUrl } from './urls.ts'

/** Options of {@link protectedResourceMetadata}. */
export interface ProtectedResourceOptions {
  /**
   * The URL of the API (RFC 9728 §1.2): https, or http on loopback. It can also be the `audience`.
   */
  readonly resource: string
  /** The issuers whose tokens it accepts; at least one. */
  readonly authorizationServers: readonly string[]
  /** The scopes that its routes may require. */
  readonly scopesSupported?: readonly string[]
}

/** The metadata of a protected resource (RFC 9728 §2). */
export interface ProtectedResourceMetadata {
  /** The URL of the API. */
  readonly resource: string
  /** The issuers whose tokens it accepts. */
  readonly authorization_servers: readonly string[]
  /** The scopes that its routes may require. */
  readonly scopes_supported?: readonly string[]
  /** How a token may be sent (RFC 6750 §2). */
  readonly bearer_methods_supported: readonly ['header']
}

const isUrl = (value: unknown) => parseSecureUrl(value) !== undefined

const OPTIONS: OptionRules<ProtectedResourceOptions> = {
  example: '{ resource, authorizationServers }',
  required: ['resource', 'authorizationServers'],
  rules: {
    resource: mustBe('an https URL (http on loopback) without fragment', isUrl),
    authorizationServers: mustBe('a list of at least one https URL (http on loopback)', (value) =>
      isListOf(value, isUrl),
    ),
    // scope-token, RFC 6749 §3.3
    scopesSupported: mustBe('a list of at least one scope', (value) =>
      isListOf(value, (scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)),
    ),
  },
}

/**
 * Returns the document that tells a refused client where to get a token (RFC 9728). Serve it as
 * JSON, without a guard, at `/.well-known/oauth-protected-resource`, followed by the path of
 * `resource` if it has one. Set the guard's `resourceMetadata` to that URL, so that challenges
 * refer to it.
 * @example Response.json(protectedResourceMetadata({ resource, authorizationServers:
 *   ['https://auth.example.com'] }))
 * @throws {TypeError} for unknown or `undefined` members, and for an invalid URL or scope
 */
export function protectedResourceMetadata(options: ProtectedResourceOptions): ProtectedResourceMetadata {
  checkOptions('protectedResourceMetadata', options, OPTIONS)
  const { resource, authorizationServers, scopesSupported } = options
  return {
    resource,
    authorization_servers: [...authorizationServers],
    ...(scopesSupported !== undefined && { scopes_supported: [...scopesSupported] }),
    bearer_methods_supported: ['header'],
  }
}
