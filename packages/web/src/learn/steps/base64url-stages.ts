const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** A character of base64url and the six bits that it stands for. */
export interface Sextet {
  readonly character: string
  /** From 0 to 63. */
  readonly value: number
  readonly bits: string
}

/** A byte that the bits of several characters make. */
export interface Octet {
  readonly bits: string
  readonly value: number
  /** In ASCII; undefined for a byte that is no visible ASCII character. */
  readonly character: string | undefined
}

/** Looks up the first four characters of a text in base64url. */
export function firstSextets(text: string): readonly Sextet[] {
  return [...text.slice(0, 4)].map((character) => {
    const value = ALPHABET.indexOf(character)
    return { character, value, bits: value.toString(2).padStart(6, '0') }
  })
}

/** Joins the bits of sextets and cuts them into bytes. Bits that are left over are ignored. */
export function toOctets(sextets: readonly Sextet[]): readonly Octet[] {
  const bits = sextets.map((sextet) => sextet.bits).join('')
  return (bits.match(/.{8}/g) ?? []).map((octet) => {
    const value = Number.parseInt(octet, 2)
    return { bits: octet, value, character: value > 0x20 && value < 0x7f ? String.fromCharCode(value) : undefined }
  })
}

/** Bytes in hexadecimal, as they are shown to people: `4f 0a …`. */
export function spellHex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(' ')
}
