import { decodeLoosely } from './base64url.ts'
import { extractToken } from './extract.ts'
import type { Fault } from './fault.ts'
import { parseJson } from './json.ts'

/** An object in JSON, such as the header of a token. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A part of a token that should be JSON, as far as it can be read. */
interface DecodedPart {
  /** The decoded text. Characters that cannot be read are `U+FFFD`. */
  readonly text: string
  /** The parsed JSON; undefined if it is not a JSON object. */
  readonly value: JsonObject | undefined
}

/** What can be read of a token. Nothing of it is verified. */
export interface DecodedToken {
  /** The token without what was around it, such as quotes. */
  readonly token: string
  /** The token, split at its dots. */
  readonly parts: readonly string[]
  /** Whether it has the five parts of an encrypted token (RFC 7516 §7.1). */
  readonly isEncrypted: boolean
  readonly header: DecodedPart | undefined
  /** Undefined for an encrypted token: only its recipient can read it. */
  readonly payload: DecodedPart | undefined
  /** The octets of the signature; undefined without one. */
  readonly signature: Uint8Array<ArrayBuffer> | undefined
  /** In the order in which to show them. Empty if the token is well formed. */
  readonly faults: readonly Fault[]
}

/** Reads as much of a token as can be read, and says what is wrong with it. Never throws. */
export function decodeToken(text: string): DecodedToken {
  const faults: Fault[] = []
  const token = extractToken(text, faults)
  const parts = token === '' ? [] : token.split('.')
  const isEncrypted = parts.length === 5
  checkParts(parts, faults)
  // Without a dot, and without the brace of a header at the beginning, nothing of it is a JWT.
  const isOpaque = parts.length === 1 && !token.startsWith('ey')
  const header = isOpaque ? undefined : readPart(parts, 0, faults)
  const payload = isEncrypted ? undefined : readPart(parts, 1, faults)
  const signature = isEncrypted ? undefined : readSignature(parts[2], faults)
  return { token, parts, isEncrypted, header, payload, signature, faults }
}

const NAMES = ['header', 'payload', 'signature'] as const

function checkParts(parts: readonly string[], faults: Fault[]): void {
  const count = parts.length
  if (count === 0 || count === 3) return
  if (count === 5) {
    const message =
      'This is an encrypted token (JWE): five parts. Its header can be read here; its claims only by someone with the key.'
    faults.push({ name: 'encrypted', message })
  } else if (count === 2) {
    faults.push({
      name: 'no-signature',
      message: 'The signature is missing: a signed token has three parts, this has two.',
    })
  } else if (count === 1) {
    const message =
      'There is no dot in it. A signed token has three parts with dots between them. It may be an opaque token, which only the server that issued it can read.'
    faults.push({ name: 'number-of-parts', message })
  } else {
    faults.push({
      name: 'number-of-parts',
      message: `A signed token has three parts, an encrypted one five. This has ${count}.`,
    })
  }
}

function readPart(parts: readonly string[], part: number, faults: Fault[]): DecodedPart | undefined {
  const encoded = parts[part]
  if (encoded === undefined) return undefined
  const name = NAMES[part] as string
  if (encoded === '') {
    faults.push({ name: 'not-json', message: `The ${name} is empty.`, part })
    return undefined
  }
  const { octets, fault } = decodeLoosely(encoded)
  if (fault !== undefined) {
    faults.push({ name: 'not-base64url', message: `The ${name} is not base64url: ${fault}.`, part })
  }
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(octets)
  if (!isUtf8(octets)) faults.push({ name: 'not-utf-8', message: `The ${name} is not UTF-8 text.`, part })
  return { text, value: parse(text, name, part, faults) }
}

function isUtf8(octets: Uint8Array<ArrayBuffer>): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets)
    return true
  } catch {
    return false
  }
}

function parse(text: string, name: string, part: number, faults: Fault[]): JsonObject | undefined {
  const parsed = parseJson(text)
  if (parsed === undefined) {
    const message = /^\s*\{/.test(text)
      ? `The ${name} is not JSON: it begins like an object, but it is cut off, changed or nested too deeply.`
      : `The ${name} is not JSON.`
    faults.push({ name: 'not-json', message, part })
    return undefined
  }
  const { value } = parsed
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  faults.push({ name: 'not-an-object', message: `The ${name} is JSON, but not an object with members.`, part })
  return undefined
}

function readSignature(encoded: string | undefined, faults: Fault[]): Uint8Array<ArrayBuffer> | undefined {
  if (encoded === undefined) return undefined
  if (encoded === '') {
    faults.push({ name: 'no-signature', message: 'The signature is missing: nothing follows the second dot.', part: 2 })
    return undefined
  }
  const { octets, fault } = decodeLoosely(encoded)
  if (fault !== undefined) {
    faults.push({ name: 'not-base64url', message: `The signature is not base64url: ${fault}.`, part: 2 })
  }
  return octets
}
