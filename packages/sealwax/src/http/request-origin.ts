import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Context as HonoContext } from 'hono'
import type { Logger } from '../core/logger.ts'
import type { Config } from '../core/options.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { HttpEnv } from './env.ts'

/** Reads who calls: the address, by the rule of trusted proxies, and the user agent. */
export type ReadOrigin = (c: HonoContext<HttpEnv>) => RequestOrigin

/**
 * The address of the caller, from that of the other end of the connection and the value of the
 * header that `forwardedHeader` names.
 */
export type ReadAddress = (peer: string | undefined, forwarded: string | undefined) => string | undefined

type Trust = Pick<Config, 'trustProxy' | 'forwardedHeader'>

export function addressReader({ trustProxy, forwardedHeader }: Trust): ReadAddress {
  const trusted = typeof trustProxy === 'number' ? trustProxy : blockList(trustProxy)
  const hopsOf = forwardedHeader === 'forwarded' ? hopsOfForwarded : hopsOfList
  return (peer, forwarded) => {
    const address = plain(peer)
    if (forwarded === undefined || trusted === 0) return address
    return forwardedFor(address, hopsOf(forwarded), trusted)
  }
}

/** The log is told once that a proxy seems to stand in front whose word is not believed. */
export function originReader(trust: Trust, addressOf: ReadAddress, log: Logger): ReadOrigin {
  const { trustProxy, forwardedHeader } = trust
  const [other, sentence] = forwardedHeader === 'forwarded' ? OTHERS.forwarded : OTHERS['x-forwarded-for']
  const isTrusted = addressReader({ trustProxy, forwardedHeader: 'x-forwarded-for' })
  let warned = false
  const warn = (c: HonoContext<HttpEnv>, message: string) => {
    warned = true
    log.warn({ address: c.env?.address }, message)
  }

  /** What is wrong with the setting, as this request shows. */
  function ignored(c: HonoContext<HttpEnv>, forwarded: string | undefined): string | undefined {
    if (trustProxy === 0) return isForwarded(c) ? UNTRUSTED : undefined
    if (forwarded === undefined) return c.req.header(other) === undefined ? undefined : sentence
    // An address that only a believed header could have brought.
    return isTrusted(c.env?.address, PROBE) === PROBE ? undefined : STRANGER
  }

  return (c) => {
    const known = c.get('origin')
    if (known !== undefined) return known
    const forwarded = trustProxy === 0 ? undefined : c.req.header(forwardedHeader)
    const message = warned ? undefined : ignored(c, forwarded)
    if (message !== undefined) warn(c, message)
    const ip = addressOf(c.env?.address, forwarded)
    const userAgent = c.req.header('User-Agent')?.slice(0, 256)
    const origin = { ...(ip !== undefined && { ip }), ...(userAgent !== undefined && { userAgent }) }
    c.set('origin', origin)
    return origin
  }
}

/** Said once: strangers can send such a header, too. */
const UNTRUSTED =
  'a request came with X-Forwarded-For or Forwarded, but trustProxy (SEALWAX_TRUST_PROXY) is 0: if it came through a proxy, everybody behind that proxy counts as one client'
const STRANGER =
  'a request came with a forwarding header from an address that trustProxy (SEALWAX_TRUST_PROXY) does not name: if that is a proxy of yours, everybody behind it counts as one client'
const OTHERS = {
  'x-forwarded-for': [
    'Forwarded',
    'a request came with Forwarded, which is ignored: forwardedHeader (SEALWAX_FORWARDED_HEADER) is x-forwarded-for',
  ],
  forwarded: [
    'X-Forwarded-For',
    'a request came with X-Forwarded-For, which is ignored: forwardedHeader (SEALWAX_FORWARDED_HEADER) is forwarded',
  ],
} as const
/** TEST-NET-3 (RFC 5737). */
const PROBE = '203.0.113.255'

function isForwarded(c: HonoContext<HttpEnv>): boolean {
  const sent = c.env?.sent
  return sent?.forwarded ?? (c.req.header('X-Forwarded-For') !== undefined || c.req.header('Forwarded') !== undefined)
}

type Hop = string | undefined

/**
 * Walks from the right, the end that the nearest proxy wrote; stops at the first address not
 * trusted, or not an address.
 */
function forwardedFor(address: string | undefined, hops: Hop[], trusted: number | BlockList): string | undefined {
  let client = address
  for (let hop = 0; ; hop += 1) {
    const believed = typeof trusted === 'number' ? hop < trusted : client !== undefined && isIn(trusted, client)
    const before = believed ? hops.pop() : undefined
    if (before === undefined) return client
    client = before
  }
}

function hopsOfList(header: string): Hop[] {
  return header.split(',').slice(-MOST_HOPS).map(nodeAddress)
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
/** Addresses with colons and brackets belong into quotes, and not every proxy knows that. */
const VALUE = "[[\\]:!#$%&'*+.^_`|~0-9A-Za-z-]+"
/**
 * One parameter and what ends it (RFC 7239 §4). Spaces can be matched in one way only: in two, a
 * header of spaces would take seconds.
 */
const PARAMETER = new RegExp(String.raw`[ \t]*(?:(${TOKEN})=(?:(${VALUE})|"((?:[^"\\]|\\.)*)")[ \t]*)?([;,]|$)`, 'y')

/**
 * The `for` of each element of Forwarded (RFC 7239). A header that does not hold to the grammar
 * says nothing: a client could have begun it with a quote that swallows what our own proxy wrote.
 */
function hopsOfForwarded(header: string): Hop[] {
  const hops: Hop[] = []
  let hop: Hop
  PARAMETER.lastIndex = 0
  while (PARAMETER.lastIndex < header.length) {
    const [, name, token, quoted, end] = PARAMETER.exec(header) ?? []
    if (end === undefined) return []
    if (name?.toLowerCase() === 'for') hop = nodeAddress(token ?? quoted?.replace(/\\(.)/g, '$1') ?? '')
    if (end === ';') continue
    hops.push(hop)
    hop = undefined
  }
  return hops.slice(-MOST_HOPS)
}

/**
 * An address with or without a port, as proxies write it: `203.0.113.7:51008`,
 * `[2001:db8::7]:51008`.
 */
function nodeAddress(text: string): Hop {
  const [, bracketed, ipv4] = /^(?:\[([^\]]*)\](?::\w+)?|([\d.]+):\w+)$/.exec(text.trim()) ?? []
  return plain(bracketed ?? ipv4 ?? text.trim())
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
