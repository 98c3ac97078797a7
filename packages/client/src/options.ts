import type { ClientStorage } from './storage.ts'

/** Options of `createClient`. */
export interface ClientOptions {
  /** The URL of the auth server with its base path, such as `https://example.com/auth`. */
  readonly baseUrl: string
  /** Other origins that get the access token, such as `https://api.example.com`. Default none. */
  readonly apiOrigins?: readonly string[]
  /**
   * `cookie`: the refresh token is in a cookie that scripts cannot read, the access token in
   * memory. `token`: the refresh token is in `storage`. Default `cookie` in a browser, and `token`
   * elsewhere or with a `storage`.
   */
  readonly mode?: 'cookie' | 'token'
  /** Where token mode keeps the refresh token. Default: in memory, until the process ends. */
  readonly storage?: ClientStorage
  /**
   * An id of this installation, 1 to 128 visible ASCII characters, for programs that send no user
   * agent. With it, the server recognises the device when a reply was lost. Default none.
   */
  readonly device?: string
  /**
   * Sends every request, such as what `createDpopFetch` (`@sealwax/client/dpop`) returns. Default:
   * the global `fetch`.
   */
  readonly fetch?: typeof fetch
}

/** @throws {TypeError} for an option that cannot work */
export function readOptions({ baseUrl, apiOrigins = [], mode, storage }: ClientOptions) {
  // A missing one must not become the path "undefined" of the page.
  const url = parsed(baseUrl || '//', pageUrl())
  if (!/^https?:[^?#]+$/.test(url.href))
    throw new TypeError(`baseUrl must be like https://example.com/auth (got ${baseUrl})`)
  for (const origin of apiOrigins) {
    if (!origin || parsed(origin).origin !== origin)
      throw new TypeError(`apiOrigins must be like https://example.com (got ${origin})`)
  }
  const inBrowser = 'document' in globalThis || 'importScripts' in globalThis
  const chosen = mode ?? (inBrowser && !storage ? 'cookie' : 'token')
  if (chosen === 'cookie' && storage) throw new TypeError('storage needs token mode')
  return {
    baseUrl: url.href.replace(/\/$/, ''),
    allowed: new Set([url.origin, ...apiOrigins]),
    mode: chosen,
  }
}

/** Returns an object without members for what is not a URL. */
function parsed(url: string, base?: string): URL {
  try {
    return new URL(url, base)
  } catch {
    return {} as URL
  }
}

/** What relative URLs are relative to; undefined where there is no page. */
export function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href
}
