import { createRoute, z } from '@hono/zod-openapi'
import { cors } from 'hono/cors'
import type { Config } from '../core/options.ts'
import { dpopVerifiers } from '../dpop/verifiers.ts'
import type { Edge } from '../http/edge.ts'
import { jsonReply } from '../http/schemas.ts'
import { publicBase } from '../http/urls.ts'
import { GRANT_TYPES } from './schemas.ts'

const PATH = '/.well-known/oauth-authorization-server'
const SECRET_METHODS = ['client_secret_basic', 'client_secret_post'] as const

/**
 * The metadata of the server (RFC 8414 §2): at the root of the host, followed by the path of the
 * issuer (RFC 8414 §3), and under the base path, for applications that forward only that.
 */
export function metadataRoutes({ root, context }: Edge): void {
  const { config } = context
  const metadata = createMetadata(config, dpopVerifiers(context).own.algorithms)
  const { pathname } = new URL(config.issuer)
  const path = pathname.replace(/\/$/, '')
  const paths = new Set([config.basePath + PATH, ...(/^[\w./~-]*$/.test(path) ? [PATH + path] : [])])
  for (const at of paths) {
    root.use(at, cors({ origin: '*', allowMethods: ['GET'] }))
    root.openapi(
      createRoute({
        method: 'get',
        path: at,
        ...(at === config.basePath + PATH && { operationId: 'getMetadata' }),
        summary: 'The metadata of the server (RFC 8414)',
        responses: { 200: jsonReply('Metadata', z.record(z.string(), z.unknown())) },
      }),
      (c) => {
        c.header('Cache-Control', 'public, max-age=300')
        return c.json(metadata, 200)
      },
    )
  }
}

function createMetadata(config: Config, algorithms: readonly string[]) {
  const base = publicBase(config)
  return {
    issuer: config.issuer,
    token_endpoint: `${base}/oauth/token`,
    revocation_endpoint: `${base}/oauth/revoke`,
    introspection_endpoint: `${base}/oauth/introspect`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    revocation_uri: `${base}/.well-known/revocations`,
    service_documentation: `${base}/openapi`,
    grant_types_supported: [...GRANT_TYPES],
    // Required, and empty: there is no authorization endpoint.
    response_types_supported: [],
    token_endpoint_auth_methods_supported: [...SECRET_METHODS, 'none'],
    revocation_endpoint_auth_methods_supported: [...SECRET_METHODS, 'none'],
    introspection_endpoint_auth_methods_supported: [...SECRET_METHODS],
    dpop_signing_alg_values_supported: [...algorithms],
  }
}
