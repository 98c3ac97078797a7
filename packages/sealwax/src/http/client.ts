import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Context as HonoContext } from 'hono'
import type { Client, Logger } from '../engine/context.ts'
import type { HttpEnv } from './env.ts'

/** Reads who calls: the address, by the rule of trusted proxies, and the user agent. */
export type ReadClient = (c: HonoContext<HttpEnv>) => Client

/** The address of the caller, from that of the other end of the connection and the header X-Forwarded-For. */
export type ReadAddress = (peer: string | undefined, forwarded: string | undefined) => string | undefined

/** @param trustProxy hops in front of us, or the addresses of those whose X-Forwarded-For is believed. */
export function addressReader(trustProxy: number | readonly string[]): ReadAddress {
  const trusted = typeof trustProxy === 'number' ? trustProxy : blockList(trustProxy)
  return (peer, forwarded) => {
    const address = plain(peer)
    return forwarded === undefined || trusted === 0 ? address : forwardedFor(address, forwarded, trusted)
  }
}

/** @param untrusting the log of a server that trusts no proxy: told once that one seems to stand in front. */
export function clientReader(addressOf: ReadAddress, untrusting: Logger | undefined): ReadClient {
  let warns = untrusting !== undefined
  return (c) => {
    const known = c.get('client')
    if (known !== undefined) return known
    if (warns && isForwarded(c)) {
      warns = false
      untrusting?.warn({ address: c.env?.address }, UNTRUSTED)
    }
    const forwarded = untrusting === undefined ? c.req.header('X-Forwarded-For') : undefined
    const ip = addressOf(c.env?.address, forwarded)
    const userAgent = c.req.header('User-Agent')?.slice(0, 256)
    const client = { ...(ip !== undefined && { ip }), ...(userAgent !== undefined && { userAgent }) }
    c.set('client', client)
    return client
  }
}

/** Said once: strangers can send such a header, too. */
const UNTRUSTED =
  'a request came with X-Forwarded-For or Forwarded, but trustProxy (SEALWAX_TRUST_PROXY) is 0: if it came through a proxy, everybody behind that proxy counts as one client'

function isForwarded(c: HonoContext<HttpEnv>): boolean {
  const sent = c.env?.sent
  return sent?.forwarded ?? (c.req.header('X-Forwarded-For') !== undefined || c.req.header('Forwarded') !== undefined)
}

/** Walks from the right, the end that the nearest proxy wrote; stops at the first address not trusted, or not an address. */
function forwardedFor(address: string | undefined, header: string, trusted: number | BlockList): string | undefined {
  const hops = header
    .split(',')
    .slice(-MOST_HOPS)
    .map((hop) => plain(hop.trim()))
  let client = address
  for (let hop = 0; ; hop += 1) {
    const believed = typeof trusted === 'number' ? hop < trusted : client !== undefined && isIn(trusted, client)
    const before = believed ? hops.pop() : undefined
    if (before === undefined) return client
    client = before
  }
}

const MOST_HOPS = 32

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** One spelling per address: IPv4 written as IPv6 is IPv4, and what is no address is nothing. */
function plain(address: string | undefined): string | undefined {
  if (address === undefined || isIPv4(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  return isIPv4(mapped) || isIPv6(mapped) ? mapped.toLowerCase() : undefined
}
