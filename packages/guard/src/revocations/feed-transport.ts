import type { Fetch } from '@sealwax/jwt'
import { readBody } from '@sealwax/jwt/internal'
import type { Transport } from '../urls.ts'

/** In bytes, uncompressed. A page of a Sealwax server is smaller than 1 MiB. */
const SIZE_LIMIT = 16 * 1024 * 1024

/**
 * Bytes that are uncompressed at a time. The default of zlib is 16 KiB; a page has hundreds of KiB.
 */
const CHUNK_SIZE = 256 * 1024

interface Answer {
  readonly body: unknown
  /** The time of the server, in seconds since 1970, from its Date header. */
  readonly date: number | undefined
}

/** A response with a status other than 200. */
export class UnexpectedStatus extends Error {
  override readonly name = 'UnexpectedStatus'
  readonly status: number
  constructor(status: number) {
    super(`the response has status ${status}`)
    this.status = status
  }
}

/**
 * Whether a request can continue in the background without keeping the process alive: on Node, with
 * node:http.
 */
export const hasBackground = globalThis.process?.getBuiltinModule !== undefined

/**
 * Gets a JSON document; does not follow redirects. A request with a Prefer header, which the issuer
 * may hold back, does not keep the process alive, except with a `fetch` of the application's own.
 */
export async function getJson(
  url: URL,
  { fetch }: Transport,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const usesNode = hasBackground && fetch === undefined
  const { status, date, text } = await (usesNode
    ? getByNode(url, headers, signal)
    : getByFetch(fetch ?? globalThis.fetch, url, headers, signal))
  if (status !== 200) throw new UnexpectedStatus(status)
  const seconds = Date.parse(date ?? '') / 1000
  return { body: JSON.parse(text), date: Number.isNaN(seconds) ? undefined : seconds }
}

interface Received {
  readonly status: number
  readonly date: string | undefined
  readonly text: string
}

function getByNode(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Received> {
  const name = url.protocol === 'https:' ? 'node:https' : 'node:http'
  const http = globalThis.process.getBuiltinModule(name) as typeof import('node:http')
  const zlib = globalThis.process.getBuiltinModule('node:zlib') as typeof import('node:zlib')
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers: { ...headers, 'accept-encoding': 'gzip' }, signal }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > SIZE_LIMIT) request.destroy(new Error(`the response is larger than ${SIZE_LIMIT} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        const give = (octets: Buffer) =>
          resolve({ status: response.statusCode ?? 0, date: response.headers.date, text: octets.toString('utf8') })
        if (response.headers['content-encoding'] !== 'gzip') return give(body)
        zlib.gunzip(body, { maxOutputLength: SIZE_LIMIT, chunkSize: CHUNK_SIZE }, (error, octets) =>
          error ? reject(error) : give(octets),
        )
      })
    })
    if (headers.prefer !== undefined) request.on('socket', (socket) => socket.unref())
    request.on('error', reject)
  })
}

async function getByFetch(
  fetch: Fetch,
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Received> {
  const response = await fetch(url.href, { headers, signal, redirect: 'manual' })
  return {
    status: response.status,
    date: response.headers.get('date') ?? undefined,
    text: await readBody(response, SIZE_LIMIT),
  }
}
