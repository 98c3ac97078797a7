/** Schemes whose pages have no origin that a browser would send, or that are no pages. */
const WITHOUT_ORIGIN = new Set(['file:', 'data:', 'blob:', 'javascript:', 'about:', 'ftp:', 'ws:', 'wss:'])

/** What an app or a browser extension sends: `capacitor://localhost`, `chrome-extension://ID`. The URL class keeps the host of such a URL as it is. */
const OF_AN_APP = /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._-]+(:\d{1,5})?/

/** The origin of a URL as browsers send it; undefined: there is none. */
export function originOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.includes('*') || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  if (isWeb) return new URL(canonicalUrl(url)).origin
  return WITHOUT_ORIGIN.has(url.protocol) ? undefined : OF_AN_APP.exec(value)?.[0]
}

/** A URL without query and user as it is to be written: also without a dot at the end of the host, and without empty segments. */
export function canonicalUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host.replace(/(?<=[^.])\.+(?=:|$)/, '')}${pathname.replace(/\/{2,}/g, '/')}`
}
