import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Config } from '../../options.ts'
import { VERSION } from '../../version.ts'
import { refreshCookieName } from '../cookies.ts'
import type { HttpEnv } from '../env.ts'
import { ALL_ERRORS, type ErrorCode, exampleProblem, hasChallenge, possibleCodes } from '../refusals.ts'
import { publicBase } from '../urls.ts'

export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>
type PathItem = NonNullable<OpenApiDocument['paths']>[string]
export type Operation = NonNullable<PathItem['get']>
type Responses = NonNullable<Operation['responses']>
type Response = Exclude<Responses[string], { $ref: string }>

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/** First segment of a path → the noun it belongs to. */
const TAG_OF: Readonly<Record<string, string>> = {
  register: 'Log-in',
  login: 'Log-in',
  refresh: 'Sessions',
  logout: 'Sessions',
  sessions: 'Sessions',
  me: 'User',
  oauth: 'OAuth',
  admin: 'Administration',
  '.well-known': 'Discovery',
}

/** In the order in which they are shown. */
const TAGS: Readonly<Record<string, string>> = {
  'Log-in': 'E-mail address and password against tokens.',
  Sessions: 'Renewing tokens, ending sessions.',
  User: 'Who somebody is.',
  OAuth: 'For API clients: RFC 6749, 7009 and 7662.',
  Administration: 'For administrators: users with the role that `adminRole` names (`sealwax:admin`).',
  Discovery: 'What other services read: keys, endpoints, revocations.',
  Server: 'The server itself: is it well, what can it do.',
}

/**
 * The OpenAPI 3.1 document of what is registered: the routes as they were declared, and what can be told from that: tags, operation ids, and
 * the closed set of refusals. A route that lists its own codes (`refusals`) gets no `default` reply.
 *
 * @param app has the routes below the base path. @param root has others, whose paths are whole.
 */
export function openApiDocument(
  app: OpenAPIHono<HttpEnv>,
  root: OpenAPIHono<HttpEnv>,
  config: Config,
): OpenApiDocument {
  const settings = { openapi: '3.1.0', info: infoOf() }
  const documents = [app, root].map((registered) => registered.getOpenAPI31Document(settings))
  const paths: Record<string, PathItem> = {}
  const codes = new Set<ErrorCode>()
  const base = publicBase(config)
  for (const [whole, item] of documents.flatMap((document) => Object.entries(document.paths ?? {}))) {
    const outside = isOutside(whole, config)
    const path = outside ? whole : whole.slice(config.basePath.length)
    // What stands inside and outside by the same name is found by two addresses.
    const servers = [...(path in paths ? [base] : []), new URL(config.issuer).origin].map((url) => ({ url }))
    paths[path] = { ...describeItem(path, item, codes), ...(outside && { servers }) }
  }
  const operations = Object.values(paths).flatMap(operationsOf)
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
        [...codes].map((code) => [code, { summary: ALL_ERRORS[code][1], value: exampleProblem(code) }]),
      ),
      securitySchemes: securitySchemes(config, operations),
    },
  }
}

/** Not under the public base: what stands at the root of the host, the issuer's path behind it (RFC 8615). */
function isOutside(path: string, { issuer, basePath }: Config): boolean {
  const tail = new URL(issuer).pathname.replace(/\/$/, '')
  return !path.startsWith(`${basePath}/`) || (tail !== '' && path.startsWith('/.well-known/') && path.endsWith(tail))
}

function infoOf() {
  return {
    title: 'Sealwax',
    version: VERSION,
    summary: 'JWT authentication: log-in, sessions, revocation, keys',
    description:
      'Every refusal is a problem document (RFC 9457) with a stable `code`. Times are RFC 3339, spans are seconds.',
  }
}

const text = { type: 'string' } as const

const HEADERS = {
  'X-Request-Id': { description: 'Names the request in the log, beside the one that was sent.', schema: text },
  'Retry-After': { description: 'Seconds after which trying again makes sense.', schema: { type: 'integer' } },
  'WWW-Authenticate': { description: 'The challenge (RFC 6750 §3); bare when no token was sent.', schema: text },
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
  const description = 'The refresh token. Only pages of an allowed origin may send it.'
  const cookie = { type: 'apiKey', in: 'cookie', name: refreshCookieName(config), description } as const
  return Object.fromEntries(Object.entries({ ...SCHEMES, cookie }).filter(([name]) => used.has(name)))
}

function operationsOf(item: PathItem): Operation[] {
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
  const { default: refused, ...replies } = (operation.responses ?? {}) as Record<string, Response>
  const expanded = refused === undefined ? {} : expand(refused, method, operation, codes)
  const responses = Object.entries({ ...replies, ...expanded }).map(([status, reply]) => [status, identified(reply)])
  return {
    ...operation,
    operationId: operation.operationId ?? idOf(method, path),
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
function idOf(method: string, path: string): string {
  return method + path.replace(/[^a-z0-9]+([a-z0-9]?)/gi, (_, letter: string) => letter.toUpperCase())
}

/** Splits "any refusal" into one reply a status, each with its closed set of codes. Of a route that lists none it stays one. */
function expand(refused: Response, method: string, operation: Operation, codes: Set<ErrorCode>): Responses {
  const { 'x-codes': own, ...reply } = refused as Response & { 'x-codes'?: readonly ErrorCode[] }
  if (own === undefined) return { default: reply }
  const { security = [], requestBody, parameters = [] } = operation
  const possible = possibleCodes(own, {
    method,
    body: requestBody !== undefined && 'content' in requestBody ? Object.keys(requestBody.content)[0] : undefined,
    hasParameters: parameters.length > 0,
    schemes: security.flatMap((one) => Object.keys(one)),
    needsRole: security.some(({ bearer = [] }) => bearer.length > 0),
  })
  const byStatus = Object.groupBy(possible, (code) => String(ALL_ERRORS[code][0]))
  const replies = Object.entries(byStatus).map(([status, group = []]) => [status, refusalReply(reply, group, codes)])
  return Object.fromEntries(replies)
}

/** `/oauth/*` says `error` where a problem says `code` (RFC 6749 §5.2). */
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
    description: [...new Set(group.map((code) => ALL_ERRORS[code][1]))].join('; '),
    headers: { ...reply.headers, ...headersOf(group, isProblem) },
    content: { [type]: { schema, ...(isProblem && { examples: Object.fromEntries(examples) }) } },
  }
}

function headersOf(group: readonly ErrorCode[], isProblem: boolean) {
  const status = ALL_ERRORS[group[0] as ErrorCode][0]
  const challenged = isProblem ? group.some(hasChallenge) : status === 401
  return {
    ...(challenged && { 'WWW-Authenticate': headerRef(`WWW-Authenticate${isProblem ? '' : '-Basic'}`) }),
    ...(status === 503 && { 'Retry-After': headerRef('Retry-After') }),
  }
}

function headerRef(name: keyof typeof HEADERS) {
  return { $ref: `#/components/headers/${name}` }
}
