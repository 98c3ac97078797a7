import { createHash } from 'node:crypto'
import type { Client } from './context.ts'
import { networkOf } from './network.ts'

type Sender = Pick<Client, 'ip' | 'userAgent'>

/** Separates the two parts of an origin; neither part contains it. */
const SEPARATOR = ' '

/**
 * Where a request came from, as the refresh table compares it: the network of the address (IPv4 /24, IPv6 /64) and a hash of the user agent without
 * version numbers, so that neither a new address in the same network nor a browser update is another origin.
 */
export function originOf({ ip, userAgent }: Sender): string {
  return `${networkOf(ip) ?? ''}${SEPARATOR}${agentOf(userAgent)}`
}

/** The user agent part of an origin; empty when no user agent was sent. */
export function agentOfOrigin(origin: string): string {
  return origin.slice(origin.indexOf(SEPARATOR) + 1)
}

function agentOf(userAgent: string | undefined): string {
  const name = userAgent?.replace(/\d+(?:[._]\d+)*/g, '').trim() ?? ''
  return name === '' ? '' : createHash('sha256').update(name).digest('base64url').slice(0, 16)
}
