const LOOPBACK = /^(?:(?:[^.]+\.)*localhost|\[::1\]|127(?:\.\d{1,3}){3})$/

/**
 * Whether the host of a parsed URL is this machine. `*.localhost` is, too (RFC 6761 §6.3).
 * @param hostname as `URL` has it: in lower case, an IPv6 address in brackets
 */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname)
}
