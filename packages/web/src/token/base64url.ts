/** Encodes octets as base64url without padding (RFC 7515 §2). */
export function encodeBase64url(octets: Uint8Array): string {
  let binary = ''
  for (const octet of octets) binary += String.fromCharCode(octet)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Decodes canonical base64url. Returns undefined for any other text. */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined
  const octets = toOctets(text)
  return encodeBase64url(octets) === text ? octets : undefined
}

/** Octets that may be incomplete, and what is wrong with the text they were read from. */
export interface LooselyDecoded {
  readonly octets: Uint8Array<ArrayBuffer>
  /** A sentence about the first fault; undefined if the text is canonical base64url. */
  readonly fault: string | undefined
}

/** Decodes as much as can be read. Never fails: characters that do not belong are left out. */
export function decodeLoosely(text: string): LooselyDecoded {
  const plain = text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  const clean = plain.replace(/[^\w-]/g, '')
  // One character alone is six bits, which is less than an octet.
  const octets = toOctets(clean.length % 4 === 1 ? clean.slice(0, -1) : clean)
  return { octets, fault: findFault(text, plain, clean, octets) }
}

function findFault(text: string, plain: string, clean: string, octets: Uint8Array): string | undefined {
  if (clean !== plain) {
    const wrong = [...plain].find((character) => !/[\w-]/.test(character))
    return `it contains the character ${wrong}, which is not in the alphabet of base64url`
  }
  if (plain !== text)
    return text.endsWith('=')
      ? 'it ends with =, the padding of base64; base64url in a JWT has none'
      : 'it is base64 with + and /; a JWT has base64url, with - and _ instead'
  if (clean.length % 4 === 1) return 'it has one character too many or too few, so something was cut off or added'
  if (encodeBase64url(octets) !== clean)
    return 'its last character has bits set that belong to no octet, so it was changed'
  return undefined
}

function toOctets(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

/** Encodes a text as UTF-8 in base64url. */
export function encodeText(text: string): string {
  return encodeBase64url(new TextEncoder().encode(text))
}

/** Encodes a value as JSON in base64url: a header or a payload of a token. */
export function encodeJson(value: unknown): string {
  return encodeText(JSON.stringify(value))
}
