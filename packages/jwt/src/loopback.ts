const LOOPBACK = /^(?:(?:[^.]+\.)*localhost|\[::1\]|127(?:\.\d{1,3}){3})$/

/**
 * Whether the host of a parsed URL is this machine. This includes `*.localhost` (RFC 6761 §6.3).
 * @param hostname as in `URL`: in lower case, an IPv6 address in brackets
 */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname)
}
