import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { openApiText } from '../../src/cli/openapi.ts'

/** The parts of the OpenAPI document that the tests read. */
export interface Document {
  openapi: string
  info: { title: string; version: string }
  servers: { url: string }[]
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, Schema>
    headers: Record<string, object>
    examples: Record<string, { value: { code: string; status: number } }>
    securitySchemes: Record<string, { type: string; name?: string }>
  }
}

export interface Operation {
  operationId: string
  summary: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: { name: string; schema: Schema }[]
  requestBody?: { required?: boolean; content: Record<string, Media> }
  responses: Record<string, { description: string; headers: Record<string, object>; content?: Record<string, Media> }>
}

interface Media {
  schema: Schema
  examples?: Record<string, { $ref?: string; value?: unknown }>
}

export type Schema = { [keyword: string]: unknown }

/** The parts of a response that are checked. */
export interface Judged {
  status: number
  headers: Headers
  text: string
}

export const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/** Every operation with its path and method. */
export function operationsOf({ paths }: Document) {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ method, path, operation }]
    }),
  )
}

/** Headers that clients act on. The document must list each one that is sent. */
const TOLD = ['WWW-Authenticate', 'Retry-After', 'Set-Cookie', 'ETag']

/** Returns a function that checks a response against the document and returns the problems. */
export function createConformance(document: Document) {
  const validate = validatorOf(document)
  const patterns = operationsOf(document).map((one) => ({
    ...one,
    pattern: new RegExp(`^${one.path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
  }))
  return (method: string, path: string, { status, headers, text }: Judged): string[] => {
    const found = patterns.find((one) => one.method === method.toLowerCase() && one.pattern.test(path))
    if (found === undefined) return [404, 405].includes(status) ? validate(refusalAt(path, document), text) : []
    const { responses } = found.operation
    const key = String(status) in responses ? String(status) : 'default'
    const reply = responses[key]
    if (reply === undefined) return [`${status} is not documented for ${found.operation.operationId}: ${text}`]
    const untold = TOLD.filter((name) => headers.has(name) && !(name in reply.headers))
    const problems = untold.map((name) => `${found.operation.operationId} ${status} does not document ${name}`)
    const type = (headers.get('Content-Type') ?? '').split(';')[0] as string
    if (reply.content === undefined) return text === '' ? problems : [...problems, `${status} has a body: ${text}`]
    if (!(type in reply.content)) return [...problems, `${found.operation.operationId} ${status} is ${type}`]
    const at = ['paths', found.path, found.method, 'responses', key, 'content', type, 'schema']
    return [...problems, ...validate(at, type.endsWith('json') ? text : JSON.stringify(text))]
  }
}

/**
 * The schema of errors at a path without an operation. Below `/oauth/` it is that of RFC 6749, if
 * the document has one.
 */
function refusalAt(path: string, { components }: Document): string[] {
  const isOAuth = path.startsWith('/oauth/') && 'OAuthError' in components.schemas
  return ['components', 'schemas', isOAuth ? 'OAuthError' : 'Problem']
}

/**
 * Returns a function that validates JSON against the schema at a path in the document. A member
 * that is not in the document is an error.
 */
export function validatorOf(document: Document) {
  const ajv = formats.default(new Ajv2020({ strict: false, allErrors: true, validateSchema: false }))
  ajv.addSchema(closed(document) as object, 'openapi')
  return (at: readonly string[], json: string): string[] => {
    const pointer = at
      .map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
      .join('')
    const check = ajv.getSchema(`openapi#${pointer}`)
    if (check === undefined) return [`there is no schema at ${pointer}`]
    if (check(JSON.parse(json))) return []
    return (check.errors ?? []).map(
      (error) => `${pointer}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    )
  }
}

/**
 * Copies the document and forbids additional properties in all object schemas except the parts of
 * an `allOf`, which would otherwise forbid each other's properties.
 */
function closed(value: unknown, isPart = false): unknown {
  if (Array.isArray(value)) return value.map((item) => closed(item, isPart))
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner, key === 'allOf')]))
  const isWhole = !isPart && copy.type === 'object' && 'properties' in copy && !('additionalProperties' in copy)
  return isWhole ? { ...copy, additionalProperties: false } : copy
}

/** Returns the document of a server with this issuer and base path. */
export async function readDocument(issuer = 'http://127.0.0.1:5000', basePath = ''): Promise<Document> {
  return JSON.parse(await openApiText({ issuer, basePath }))
}

let conformance: ReturnType<typeof createConformance> | undefined

/**
 * Checks a response against the document, which is the same for all settings that matter here. A
 * 500 is an error unless the test made the server fail.
 */
export async function judge(method: string, path: string, reply: Judged, { fault = false } = {}): Promise<string[]> {
  conformance ??= createConformance(await readDocument())
  const unasked = reply.status === 500 && !fault ? [`${method} ${path} returned an unexpected 500`] : []
  return [...unasked, ...conformance(method, path, reply)]
}
