import type { Config } from './options.ts'

/** Schemes for which browsers send no origin. */
const WITHOUT_ORIGIN = new Set(['file:', 'data:', 'blob:', 'javascript:', 'about:', 'ftp:', 'ws:', 'wss:'])

/**
 * The origin of an app or a browser extension: `capacitor://localhost`, `chrome-extension://ID`.
 * The URL class does not normalise the host of such URLs.
 */
const OF_AN_APP = /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._-]+(:\d{1,5})?/

/** Returns the origin of a URL as browsers send it, or undefined when they send none. */
export function originOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.includes('*') || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  if (isWeb) return new URL(canonicalUrl(url)).origin
  return WITHOUT_ORIGIN.has(url.protocol) ? undefined : OF_AN_APP.exec(value)?.[0]
}

/**
 * Returns a URL in canonical form, without query, user, trailing dot of the host and empty
 * segments.
 */
export function canonicalUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host.replace(/(?<=[^.])\.+(?=:|$)/, '')}${pathname.replace(/\/{2,}/g, '/')}`
}

/**
 * The public URL of the routes: the issuer, whose path a proxy or a mount may strip, or the base
 * path if it is longer.
 */
export function publicBase({ issuer, basePath }: Pick<Config, 'issuer' | 'basePath'>): string {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return origin + (basePath.startsWith(`${path}/`) ? basePath : path)
}
