const LOOPBACK = /^(?:(?:[^.]+\.)*localhost|\[::1\]|127(?:\.\d{1,3}){3})$/

/**
 * Whether the host of a parsed URL is this machine. This includes `*.localhost` (RFC 6761 §6.3).
 * @param hostname as in `URL`: in lower case, an IPv6 address in brackets
 */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname)
}

/**
 * Whether keys and tokens may be fetched from a URL: https, or http on this machine or at one of
 * the given origins.
 */
export function isSecureUrl({ protocol, hostname, origin }: URL, allowHttp: readonly string[] = []): boolean {
  return protocol === 'https:' || (protocol === 'http:' && (isLoopback(hostname) || allowHttp.includes(origin)))
}

/** Whether a value is a list of origins with the scheme http, such as `http://keycloak:8080`. */
export function isHttpOrigins(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isHttpOrigin)
}

const isHttpOrigin = (text: unknown) =>
  typeof text === 'string' && text.startsWith('http:') && URL.canParse(text) && new URL(text).origin === text
