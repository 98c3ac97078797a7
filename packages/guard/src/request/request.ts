/**
 * The part of a request that the guard reads. A web `Request`, Node's `IncomingMessage` (HTTP/1 and
 * HTTP/2) and the requests of frameworks match it, and so does a plain `{ headers: { authorization
 * } }`.
 */
export interface GuardRequest {
  /** The header fields. */
  readonly headers: HeaderReader | Readonly<Record<string, string | readonly string[] | undefined>>
  /**
   * Names and values alternating, as received. Node's `headers` do not show that a field was sent
   * twice.
   */
  readonly rawHeaders?: readonly string[]
  /** The method; read if the guard accepts a cookie or proofs. */
  readonly method?: string | undefined
  /** The URL or path; a token in its query makes a request with another token invalid. */
  readonly url?: string | undefined
  /** The whole path, where the framework removes a prefix from `url`, as Express does. */
  readonly originalUrl?: string | undefined
}

/** The part of `Headers` (Fetch) that is read. */
export interface HeaderReader {
  /** Returns the value of a field, `null` if there is none. */
  get(name: string): string | null
}

/** Whether header fields are read by a method, as in `Headers`. */
function isHeaderReader(headers: GuardRequest['headers']): headers is HeaderReader {
  return typeof headers.get === 'function'
}

/**
 * The values of a header field; a list only if the request keeps several values separate.
 * @param name in lower case
 */
export function fieldOf({ headers, rawHeaders }: GuardRequest, name: string): string | readonly string[] | undefined {
  if (isHeaderReader(headers)) return headers.get(name) ?? undefined
  // Node's names are in lower case; those of other objects may not be.
  if (rawHeaders !== undefined) return headers[name]
  const values = Object.keys(headers)
    .filter((own) => own.length === name.length && own.toLowerCase() === name)
    .flatMap((own) => headers[own] ?? [])
  return values.length === 0 ? undefined : values
}

/**
 * The value of a header field: `undefined` if it is absent; several values are joined by commas.
 */
export function fieldValue(request: GuardRequest, name: string): string | undefined {
  const value = fieldOf(request, name)
  return typeof value === 'object' ? value.join(', ') : value
}

/**
 * The value of a header field that must not be sent twice. Node's `headers` has only the first
 * Authorization; here several are joined by commas, as Headers (Fetch) does, so that all kinds of
 * requests are treated alike.
 * @param name in lower case
 */
export function singleField(request: GuardRequest, name: string): string | undefined {
  const { headers, rawHeaders } = request
  if (isHeaderReader(headers)) return headers.get(name) ?? undefined
  if (rawHeaders === undefined) return fieldValue(request, name)
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (isNamed(rawHeaders[i] as string, name)) count++
  if (count < 2) return fieldValue(request, name)
  return rawHeaders.filter((_, i) => i % 2 === 1 && isNamed(rawHeaders[i - 1] as string, name)).join(', ')
}

function isNamed(field: string, name: string): boolean {
  return field.length === name.length && field.toLowerCase() === name
}
