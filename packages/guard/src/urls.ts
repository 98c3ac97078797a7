import type { Fetch } from '@sealwax/jwt'
import { isSecureUrl } from '@sealwax/jwt/internal'

/** How an issuer is reached. */
export interface Transport {
  /** Makes the requests. Default: the global `fetch`. */
  readonly fetch?: Fetch | undefined
  /** Origins that may be used over plain http. Default: loopback only. */
  readonly allowHttp?: readonly string[] | undefined
}

/**
 * Parses a URL that keys and tokens may be fetched from: https, or http on loopback or an allowed
 * origin, without user name, password and fragment.
 */
export function parseSecureUrl(text: unknown, { allowHttp }: Transport = {}): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!isSecureUrl(url, allowHttp)) return undefined
  return url.username === '' && url.password === '' && !text.includes('#') ? url : undefined
}
