import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Config } from '../../core/options.ts'
import { VERSION } from '../../version.ts'
import { refreshCookieName } from '../cookies.ts'
import type { HttpEnv } from '../env.ts'
import { allErrors, type ErrorCode, exampleProblem, hasChallenge, possibleCodes } from '../refusals.ts'
import { publicBase } from '../urls.ts'

export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>
type PathItem = NonNullable<OpenApiDocument['paths']>[string]
export type Operation = NonNullable<PathItem['get']>
type Responses = NonNullable<Operation['responses']>
type Response = Exclude<Responses[string], { $ref: string }>

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/** The tag of an operation by the first segment of its path. */
const TAG_OF: Readonly<Record<string, string>> = {
  register: 'Log-in',
  login: 'Log-in',
  refresh: 'Sessions',
  logout: 'Sessions',
  sessions: 'Sessions',
  me: 'User',
  password: 'User',
  oauth: 'OAuth',
  admin: 'Administration',
  '.well-known': 'Discovery',
}

/** The tags in display order. */
const TAGS: Readonly<Record<string, string>> = {
  'Log-in': 'Exchange e-mail address and password for tokens.',
  Sessions: 'Refresh tokens, end sessions.',
  User: 'The current user.',
  OAuth: 'For API clients: RFC 6749, 7009 and 7662.',
  Administration: 'For administrators: users with the role set in `adminRole` (default `sealwax:admin`).',
  Discovery: 'Keys, endpoints and revocations, for other services.',
  Server: 'Health and API of the server.',
}

/**
 * Creates the OpenAPI 3.1 document of the registered routes, and derives tags, operation ids and
 * the possible error codes. A route that lists its own codes (`refusals`) has no `default` reply.
 *
 * @param app The routes below the base path.
 * @param root Other routes, with their full paths.
 */
export function openApiDocument(
  app: OpenAPIHono<HttpEnv>,
  root: OpenAPIHono<HttpEnv>,
  config: Config,
): OpenApiDocument {
  const settings = { openapi: '3.1.0', info: createInfo() }
  const documents = [app, root].map((registered) => registered.getOpenAPI31Document(settings))
  const paths: Record<string, PathItem> = {}
  const codes = new Set<ErrorCode>()
  const base = publicBase(config)
  for (const [whole, item] of documents.flatMap((document) => Object.entries(document.paths ?? {}))) {
    const outside = isOutside(whole, config)
    const path = outside ? whole : whole.slice(config.basePath.length)
    // A route in both has two URLs.
    const servers = [...(path in paths ? [base] : []), new URL(config.issuer).origin].map((url) => ({ url }))
    paths[path] = { ...describeItem(path, item, codes), ...(outside && { servers }) }
  }
  const operations = Object.values(paths).flatMap(listOperations)
  return {
    ...settings,
    servers: [{ url: base }],
    tags: Object.entries(TAGS)
      .filter(([name]) => operations.some(({ tags }) => tags?.includes(name)))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.assign({}, ...documents.map(({ components }) => components?.schemas)),
      headers: HEADERS,
      examples: Object.fromEntries(
        [...codes].map((code) => [code, { summary: allErrors()[code][1], value: exampleProblem(code) }]),
      ),
      securitySchemes: securitySchemes(config, operations),
    },
  }
}

/** Whether a path is at the root of the host, followed by the issuer's path (RFC 8615). */
function isOutside(path: string, { issuer, basePath }: Config): boolean {
  const tail = new URL(issuer).pathname.replace(/\/$/, '')
  return !path.startsWith(`${basePath}/`) || (tail !== '' && path.startsWith('/.well-known/') && path.endsWith(tail))
}

function createInfo() {
  return {
    title: 'Sealwax',
    version: VERSION,
    summary: 'JWT authentication: log-in, sessions, revocation, keys',
    description:
      'Every error is a problem document (RFC 9457) with a stable `code`. Times are RFC 3339, durations are seconds.',
  }
}

const text = { type: 'string' } as const

const HEADERS = {
  'X-Request-Id': {
    description: 'The id of the request in the log, next to the id that the client sent.',
    schema: text,
  },
  'Retry-After': { description: 'Seconds to wait before a retry.', schema: { type: 'integer' } },
  'WWW-Authenticate': {
    description: 'The challenge (RFC 6750 §3); without an error code if no token was sent.',
    schema: text,
  },
  'WWW-Authenticate-Basic': {
    description: 'The challenge (RFC 7617).',
    schema: text,
  },
} as const

const SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token.' },
  basic: { type: 'http', scheme: 'basic', description: 'Id and secret of an API client.' },
} as const

function securitySchemes(config: Config, operations: readonly Operation[]) {
  const used = new Set(operations.flatMap(({ security = [] }) => security.flatMap((one) => Object.keys(one))))
  const description = 'The refresh token. Accepted only from pages of an allowed origin.'
  const cookie = { type: 'apiKey', in: 'cookie', name: refreshCookieName(config), description } as const
  return Object.fromEntries(Object.entries({ ...SCHEMES, cookie }).filter(([name]) => used.has(name)))
}

function listOperations(item: PathItem): Operation[] {
  return METHODS.flatMap((method) => item[method] ?? [])
}

function describeItem(path: string, item: PathItem, codes: Set<ErrorCode>): PathItem {
  const described = METHODS.flatMap((method) => {
    const operation = item[method]
    return operation === undefined ? [] : [[method, describeOperation(method, path, operation, codes)]]
  })
  return { ...item, ...Object.fromEntries(described) }
}

function describeOperation(method: string, path: string, operation: Operation, codes: Set<ErrorCode>): Operation {
  const { 'x-admission': _, ...shown } = operation as Operation & { 'x-admission'?: string }
  const { default: refused, ...replies } = (operation.responses ?? {}) as Record<string, Response>
  const expanded = refused === undefined ? {} : expand(refused, method, operation, codes)
  const responses = Object.entries({ ...replies, ...expanded }).map(([status, reply]) => [status, identified(reply)])
  return {
    ...shown,
    operationId: operation.operationId ?? createOperationId(method, path),
    tags: operation.tags ?? [TAG_OF[path.split('/')[1] ?? ''] ?? 'Server'],
    security: operation.security ?? [],
    responses: Object.fromEntries(responses),
  }
}

function identified(reply: Response): Response {
  const id = { $ref: '#/components/headers/X-Request-Id' }
  return { ...reply, headers: { 'X-Request-Id': id, ...reply.headers } }
}

/** `POST /admin/clients/{id}/rotate` → `postAdminClientsIdRotate`. */
function createOperationId(method: string, path: string): string {
  return method + path.replace(/[^a-z0-9]+([a-z0-9]?)/gi, (_, letter: string) => letter.toUpperCase())
}

/** Splits the default reply into one per status with its codes, if the route lists codes. */
function expand(refused: Response, method: string, operation: Operation, codes: Set<ErrorCode>): Responses {
  const { 'x-codes': own, ...reply } = refused as Response & { 'x-codes'?: readonly ErrorCode[] }
  if (own === undefined) return { default: reply }
  const { security = [], requestBody, parameters = [] } = operation
  const possible = possibleCodes(own, {
    method,
    body: requestBody !== undefined && 'content' in requestBody ? Object.keys(requestBody.content)[0] : undefined,
    hasParameters: parameters.length > 0,
    schemes: security.flatMap((one) => Object.keys(one)),
    hashesPassword: 'x-admission' in operation,
    needsRole: security.some(({ bearer = [] }) => bearer.length > 0),
  })
  const byStatus = Object.groupBy(possible, (code) => String(allErrors()[code][0]))
  const replies = Object.entries(byStatus).map(([status, group = []]) => [status, refusalReply(reply, group, codes)])
  return Object.fromEntries(replies)
}

/** The member with the code: `/oauth/*` has `error` instead of `code` (RFC 6749 §5.2). */
const MEMBER: Readonly<Record<string, string>> = { 'application/problem+json': 'code', 'application/json': 'error' }

type Content = [type: string, content: NonNullable<Response['content']>[string]]

function refusalReply(reply: Response, group: readonly ErrorCode[], codes: Set<ErrorCode>): Response {
  const [type, { schema: base = {} }] = Object.entries(reply.content ?? {})[0] as Content
  const closed = {
    type: 'object' as const,
    properties: { [MEMBER[type] ?? 'code']: { type: 'string' as const, enum: [...group] } },
  }
  const isProblem = type === 'application/problem+json'
  if (isProblem) for (const code of group) codes.add(code)
  const examples = group.map((code) => [code, { $ref: `#/components/examples/${code}` }])
  const schema = { allOf: [base, closed] }
  return {
    ...reply,
    description: [...new Set(group.map((code) => allErrors()[code][1]))].join('; '),
    headers: { ...reply.headers, ...errorHeaders(group, isProblem) },
    content: { [type]: { schema, ...(isProblem && { examples: Object.fromEntries(examples) }) } },
  }
}

function errorHeaders(group: readonly ErrorCode[], isProblem: boolean) {
  const status = allErrors()[group[0] as ErrorCode][0]
  const challenged = isProblem ? group.some(hasChallenge) : status === 401
  return {
    ...(challenged && { 'WWW-Authenticate': headerRef(`WWW-Authenticate${isProblem ? '' : '-Basic'}`) }),
    ...((status === 503 || status === 429) && { 'Retry-After': headerRef('Retry-After') }),
  }
}

function headerRef(name: keyof typeof HEADERS) {
  return { $ref: `#/components/headers/${name}` }
}
