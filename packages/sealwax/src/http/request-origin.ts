import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Context as HonoContext } from 'hono'
import type { Logger } from '../core/logger.ts'
import type { Config } from '../core/options.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { HttpEnv } from './env.ts'

/**
 * Reads where a request came from: the address of the client, determined by `trustProxy`, and the
 * user agent.
 */
export type ReadOrigin = (c: HonoContext<HttpEnv>) => RequestOrigin

/**
 * Determines the address of the client from the remote address of the connection and the value of
 * the header that `forwardedHeader` names.
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

/** Logs one warning if there seems to be a proxy whose header is not trusted. */
export function originReader(trust: Trust, addressOf: ReadAddress, log: Logger): ReadOrigin {
  const { trustProxy, forwardedHeader } = trust
  const [other, sentence] = forwardedHeader === 'forwarded' ? OTHERS.forwarded : OTHERS['x-forwarded-for']
  const isTrusted = addressReader({ trustProxy, forwardedHeader: 'x-forwarded-for' })
  let warned = false
  const warn = (c: HonoContext<HttpEnv>, message: string) => {
    warned = true
    log.warn({ address: c.env?.address }, message)
  }

  /** Returns the warning if this request shows that a setting is wrong. */
  function ignored(c: HonoContext<HttpEnv>, forwarded: string | undefined): string | undefined {
    if (trustProxy === 0) return isForwarded(c) ? UNTRUSTED : undefined
    if (forwarded === undefined) return c.req.header(other) === undefined ? undefined : sentence
    // The result is the probe only if the header of this peer is trusted.
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

/** Logged only once, since any client can send such a header. */
const UNTRUSTED =
  'a request came with X-Forwarded-For or Forwarded, but trustProxy (SEALWAX_TRUST_PROXY) is 0: if it came through a proxy, all clients behind that proxy count as one'
const STRANGER =
  'a request came with a forwarding header from an address that trustProxy (SEALWAX_TRUST_PROXY) does not name: if that is a proxy of yours, all clients behind it count as one'
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
 * Reads the list from the right, where the nearest proxy appends. Stops at the first address that
 * is not trusted, or before an entry that is not an address.
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
/** Addresses with colons and brackets must be quoted, but not every proxy does so. */
const VALUE = "[[\\]:!#$%&'*+.^_`|~0-9A-Za-z-]+"
/**
 * One parameter and its delimiter (RFC 7239 §4). Spaces can be matched in only one way: with two, a
 * header of spaces would take seconds.
 */
const PARAMETER = new RegExp(String.raw`[ \t]*(?:(${TOKEN})=(?:(${VALUE})|"((?:[^"\\]|\\.)*)")[ \t]*)?([;,]|$)`, 'y')

/**
 * The `for` of each element of Forwarded (RFC 7239). A header with a syntax error is ignored: a
 * client could have begun it with a quote, so that what our own proxy appended is part of a quoted
 * string.
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

/**
 * Normalizes an address: IPv4-mapped IPv6 becomes IPv4. Returns undefined if it is not an address.
 */
function plain(address: string | undefined): string | undefined {
  if (address === undefined || isIPv4(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  return isIPv4(mapped) || isIPv6(mapped) ? mapped.toLowerCase() : undefined
}
