import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'

/** A file that Vite has built from `packages/web`. */
export interface WebFile {
  readonly body: Buffer<ArrayBuffer>
  readonly type: string
  readonly etag: string
  /** Whether its name changes with its content. */
  readonly immutable: boolean
}

/** The built files, by path without a slash at the beginning, such as `inspect.html`. */
export type WebFiles = ReadonlyMap<string, WebFile>

/** What to do when the files are missing: only in a clone whose install scripts did not run. */
export const NOT_BUILT = 'The web pages are not built. Type: npm run build:web'

/** The same folder as seen from `src/pages` and from `dist/pages`. */
const FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing is loaded from elsewhere, and nothing is sent elsewhere. */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "frame-src 'self'"],
  ...["worker-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

/** Returns the policy of a page that also shows frames of these origins. */
export function policyWithFrames(...origins: readonly string[]): string {
  return POLICY.replace("frame-src 'self'", `frame-src 'self' ${origins.join(' ')}`)
}

/** Reads the built files; none if they are not built. */
export function readWebFiles(folder = FOLDER): WebFiles {
  const files = new Map<string, WebFile>()
  for (const path of list(folder)) {
    const type = TYPES[extname(path)]
    if (type === undefined) continue
    const body = readFileSync(join(folder, path))
    // Weak, since the compressed forms of a file have the same tag (RFC 9110 §8.8.3).
    const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    files.set(path.replaceAll('\\', '/'), { body, type, etag, immutable: path.startsWith('assets') })
  }
  return files
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Compressed files, by `Content-Encoding`. They are few and never change. */
const compressed = new WeakMap<WebFile, Map<string, Promise<Buffer<ArrayBuffer>>>>()

const COMPRESS: Readonly<Record<string, (body: Buffer) => Promise<Buffer<ArrayBuffer>>>> = {
  br: promisify(brotliCompress),
  gzip: promisify(gzip),
}

/** Returns a file as the reply to a GET or HEAD request. */
export async function webFileReply(
  file: WebFile,
  headers: Headers,
  policy: string | undefined = POLICY,
): Promise<Response> {
  const isPage = file.type.startsWith('text/html')
  const reply = new Headers({
    'Content-Type': file.type,
    ETag: file.etag,
    Vary: 'Accept-Encoding',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(isPage && { 'Content-Security-Policy': policy, 'Referrer-Policy': 'no-referrer' }),
    ...(isPage && { 'Cross-Origin-Opener-Policy': 'same-origin' }),
  })
  const known = headers.get('If-None-Match')?.split(',') ?? []
  if (known.some((tag) => tag.trim().replace(/^(?:W\/)?/, 'W/') === file.etag))
    return new Response(null, { status: 304, headers: reply })
  const accepted =
    headers
      .get('Accept-Encoding')
      ?.split(',')
      .filter((one) => !/;\s*q=0(\.0*)?\s*$/.test(one))
      .map((one) => one.trim().split(';')[0] ?? '') ?? []
  const encoding = Object.keys(COMPRESS).find((name) => accepted.includes(name))
  if (encoding === undefined) return new Response(file.body, { headers: reply })
  reply.set('Content-Encoding', encoding)
  return new Response(await compress(file, encoding), { headers: reply })
}

function compress(file: WebFile, encoding: string): Promise<Buffer<ArrayBuffer>> {
  const kept = compressed.get(file) ?? new Map<string, Promise<Buffer<ArrayBuffer>>>()
  compressed.set(file, kept)
  const body = kept.get(encoding) ?? (COMPRESS[encoding] as NonNullable<(typeof COMPRESS)[string]>)(file.body)
  kept.set(encoding, body)
  return body
}
