import { isLoopback } from '@sealwax/jwt/internal'

/**
 * Parses a URL that keys and tokens may be fetched from: https, or http on loopback, without user
 * name, password and fragment.
 */
export function parseSecureUrl(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) return undefined
  return url.username === '' && url.password === '' && !text.includes('#') ? url : undefined
}
