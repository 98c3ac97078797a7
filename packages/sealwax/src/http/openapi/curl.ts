import type { OpenApiDocument, Operation } from './document.ts'
import { type Schema, sampleOf } from './members.ts'

/** One operation with what stands around it in the document. */
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

/** A command line that calls an operation. What only the reader knows stands in angle brackets. */
export function curlOf({ method, url, operation }: Placed, document: OpenApiDocument): string {
  const { security = [], requestBody } = operation
  // Of several ways the first is shown.
  const credential = CREDENTIALS[Object.keys(security[0] ?? {})[0] ?? '']
  const content =
    requestBody !== undefined && 'content' in requestBody ? Object.entries(requestBody.content)[0] : undefined
  return [
    `curl ${method === 'GET' ? '' : `--request ${method} `}"${url.replace(/\{(\w+)\}/g, '<$1>')}"`,
    ...(credential === undefined ? [] : [credential]),
    ...(content === undefined ? [] : bodyOf(content[0], (content[1].schema ?? {}) as Schema, document)),
  ].join(' \\\n  ')
}

function bodyOf(type: string, schema: Schema, document: OpenApiDocument): string[] {
  const sample = sampleOf(schema, document)
  if (type === 'application/json') return [`--header "Content-Type: ${type}"`, `--data '${JSON.stringify(sample)}'`]
  return Object.entries(sample as object).map(([name, value]) => `--data-urlencode '${name}=${value}'`)
}
