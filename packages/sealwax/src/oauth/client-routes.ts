import { createRoute, z } from '@hono/zod-openapi'
import { LOGGED_IN_RECENTLY } from '../http/administrators.ts'
import type { Edge } from '../http/edge.ts'
import { jsonBody, jsonReply, pageQuery, refusals } from '../http/schemas.ts'
import {
  type ApiClient,
  createClient,
  deleteClient,
  disableClient,
  enableClient,
  getClient,
  type IssuedSecret,
  listClients,
  noSuchClient,
  rotateSecret,
  updateClient,
} from './clients.ts'
import { apiClient, clientChange, createClientRequest, issuedSecret, rotateRequest } from './schemas.ts'

/** API clients, for administrators. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of routes, each part of it short
export function adminClientRoutes({ app, context, administrators }: Edge): void {
  const { only, recently, security, requestOrigin } = administrators
  const one = { params: z.object({ id: z.string().max(64) }) }
  const ofOne = refusals('not_found', 'temporarily_unavailable')
  const client = { 200: jsonReply('The client', apiClient), default: ofOne } as const

  app.openapi(
    createRoute({
      method: 'get',
      path: '/admin/clients',
      operationId: 'listClients',
      security,
      middleware: only,
      summary: 'API clients, ordered by id',
      request: {
        query: pageQuery,
      },
      responses: {
        200: jsonReply('Clients', z.object({ data: z.array(apiClient) })),
        default: refusals('temporarily_unavailable'),
      },
    }),
    async (c) => {
      return c.json({ data: (await listClients(context, c.req.valid('query'))).map(clientBody) }, 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/admin/clients',
      operationId: 'createClient',
      security,
      middleware: only,
      summary: 'Create an API client; its secret is returned only here',
      request: jsonBody(createClientRequest),
      responses: {
        201: jsonReply('The client and its secret', issuedSecret),
        default: refusals('temporarily_unavailable'),
      },
    }),
    async (c) => {
      return c.json(secretBody(await createClient(context, c.req.valid('json'), requestOrigin(c))), 201)
    },
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: '/admin/clients/{id}',
      operationId: 'getClient',
      security,
      middleware: only,
      summary: 'One API client',
      request: one,
      responses: client,
    }),
    async (c) => {
      const found = await getClient(context, c.req.valid('param').id)
      if (found === undefined) throw noSuchClient()
      return c.json(clientBody(found), 200)
    },
  )
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/admin/clients/{id}',
      operationId: 'updateClient',
      security,
      middleware: only,
      summary: 'Change the name or the scopes',
      request: { ...one, ...jsonBody(clientChange) },
      responses: client,
    }),
    async (c) => {
      return c.json(
        clientBody(await updateClient(context, c.req.valid('param').id, c.req.valid('json'), requestOrigin(c))),
        200,
      )
    },
  )
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/admin/clients/{id}',
      operationId: 'deleteClient',
      security,
      middleware: recently,
      summary: 'Delete an API client',
      description: LOGGED_IN_RECENTLY,
      request: one,
      responses: {
        204: { description: 'Deleted' },
        default: refusals('reauthentication_required', 'not_found', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      if (!(await deleteClient(context, c.req.valid('param').id, requestOrigin(c)))) throw noSuchClient()
      return c.body(null, 204)
    },
  )
  app.openapi(
    createRoute({
      method: 'post',
      path: '/admin/clients/{id}/rotate',
      operationId: 'rotateClientSecret',
      security,
      middleware: recently,
      summary: 'Make a new secret; the current one stays valid for a while',
      description: LOGGED_IN_RECENTLY,
      request: { ...one, ...jsonBody(rotateRequest, false) },
      responses: {
        200: jsonReply('The client and its new secret', issuedSecret),
        default: refusals('reauthentication_required', 'not_found', 'rotation_under_way', 'temporarily_unavailable'),
      },
    }),
    async (c) => {
      const { overlap } = c.req.valid('json') ?? {}
      return c.json(
        secretBody(await rotateSecret(context, c.req.valid('param').id, { overlap }, requestOrigin(c))),
        200,
      )
    },
  )
  const switches = { disable: disableClient, enable: enableClient } as const
  for (const [verb, act] of Object.entries(switches)) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/admin/clients/{id}/${verb}`,
        operationId: `${verb}Client`,
        security,
        middleware: only,
        summary: verb === 'disable' ? 'Disable an API client' : 'Enable an API client',
        request: one,
        responses: client,
      }),
      async (c) => {
        return c.json(clientBody(await act(context, c.req.valid('param').id, requestOrigin(c))), 200)
      },
    )
  }
}

/** Returns an API client as the API returns it. */
export function clientBody({ id, name, scopes, disabled, secrets, createdAt, updatedAt }: ApiClient) {
  const times = { created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() }
  const shown = secrets.map((secret) => ({
    created_at: secret.createdAt.toISOString(),
    expires_at: secret.expiresAt?.toISOString() ?? null,
  }))
  return { id, name, scopes: [...scopes], disabled, secrets: shown, ...times }
}

/** Returns a client with a new secret as the API returns it. */
export function secretBody({ client, secret }: IssuedSecret) {
  return { client: clientBody(client), secret }
}
