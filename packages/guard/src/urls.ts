/** Whether a host (of a parsed URL) is this machine; `*.localhost` is, too (RFC 6761 §6.3). */
export function isLoopback(hostname: string): boolean {
  return /^(?:[^.]+\.)*localhost$/.test(hostname) || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** Parses a URL to which keys or tokens may be entrusted: https, or http on loopback, without user name and fragment. */
export function parseSecureUrl(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) return undefined
  return url.username === '' && url.password === '' && !text.includes('#') ? url : undefined
}
