import type { OpenApiDocument, Operation } from './document.ts'
import { createSample, type Schema } from './members.ts'

/** An operation with its method and URL. */
export interface Placed {
  readonly method: string
  readonly path: string
  readonly url: string
  readonly operation: Operation
}

const CREDENTIALS: Readonly<Record<string, string>> = {
  bearer: '--header "Authorization: Bearer <access_token>"',
  basic: '--user "<client_id>:<client_secret>"',
}

/** A curl command for an operation. Values that the reader must fill in are in angle brackets. */
export function formatCurl({ method, url, operation }: Placed, document: OpenApiDocument): string {
  const { security = [], requestBody } = operation
  // Shows the first of several security schemes.
  const credential = CREDENTIALS[Object.keys(security[0] ?? {})[0] ?? '']
  const content =
    requestBody !== undefined && 'content' in requestBody ? Object.entries(requestBody.content)[0] : undefined
  return [
    `curl ${method === 'GET' ? '' : `--request ${method} `}"${url.replace(/\{(\w+)\}/g, '<$1>')}"`,
    ...(credential === undefined ? [] : [credential]),
    ...(content === undefined ? [] : formatBody(content[0], (content[1].schema ?? {}) as Schema, document)),
  ].join(' \\\n  ')
}

function formatBody(type: string, schema: Schema, document: OpenApiDocument): string[] {
  const sample = createSample(schema, document)
  if (type === 'application/json') return [`--header "Content-Type: ${type}"`, `--data '${JSON.stringify(sample)}'`]
  return Object.entries(sample as object).map(([name, value]) => `--data-urlencode '${name}=${value}'`)
}
