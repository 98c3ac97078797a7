import { createHash } from 'node:crypto'
import { toSubnet } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'

type Sender = Pick<RequestOrigin, 'ip' | 'userAgent'>

/** Separates the two parts of an origin, which do not contain it. */
const SEPARATOR = ' '

/**
 * Returns where a request came from, as the refresh table compares it: the network of the address
 * (IPv4 /24, IPv6 /64) and a hash of the user agent without version numbers. A new address in the
 * same network or a browser update does not change it.
 */
export function toOrigin({ ip, userAgent }: Sender): string {
  return `${toSubnet(ip) ?? ''}${SEPARATOR}${hashAgent(userAgent)}`
}

/** Returns the user agent part of an origin, empty when no user agent was sent. */
export function parseAgent(origin: string): string {
  return origin.slice(origin.indexOf(SEPARATOR) + 1)
}

function hashAgent(userAgent: string | undefined): string {
  const name = userAgent?.replace(/\d+(?:[._]\d+)*/g, '').trim() ?? ''
  return name === '' ? '' : createHash('sha256').update(name).digest('base64url').slice(0, 16)
}
