import { isIPv4, isIPv6 } from 'node:net'

/** Returns the network of an address, about one household or office: IPv4 /24, IPv6 /64. */
export function toSubnet(ip: string | null | undefined): string | undefined {
  if (ip === null || ip === undefined) return undefined
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1] ?? ip
  if (isIPv4(mapped)) return mapped.slice(0, mapped.lastIndexOf('.'))
  if (!isIPv6(mapped)) return undefined
  const [head = '', tail] = (mapped.split('%')[0] as string).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(8 - left.length - right.length, 0)).fill('0')
  const groups = [...left, ...zeros, ...right].slice(0, 4)
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')
}

/**
 * The network of a caller. Capacity is shared among sites first, then among the subnets of a site.
 */
export interface Network {
  /** IPv4 /24, IPv6 /48: the most that one customer usually has. */
  readonly site: string
  /** IPv4 /24, IPv6 /64. */
  readonly subnet: string
}

/** Returns the network of an address. Callers without an address share one network. */
export function networksOf(ip: string | null | undefined): Network {
  const subnet = toSubnet(ip) ?? 'unknown'
  return { site: subnet.split(':', 3).join(':'), subnet }
}

/** The network of calls by the application itself. They are never refused. */
export const APPLICATION: Network = { site: 'application', subnet: 'application' }
