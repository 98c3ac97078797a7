import { compact, type Forge, type Segment, type Signer } from '../forge.ts'

/** One hostile token: what is wrong with it, the rule that it breaks, and the token. */
export type Shape = readonly [name: string, source: string, token: string]

/** A token with these members in its header; `undefined` removes one. */
export function withHeader(forge: Forge, members: object, sign: Signer = forge.sign): string {
  return compact({ ...forge.header, ...members }, forge.claims, sign)
}

/** A token with these claims; `undefined` removes one. */
export function withClaims(forge: Forge, claims: object): string {
  return compact(forge.header, { ...forge.claims, ...claims }, forge.sign)
}

/** A token with any payload and a valid header. */
export function withPayload(forge: Forge, payload: Segment): string {
  return compact(forge.header, payload, forge.sign)
}

/** A token of the given segments, signed with the issuer's key. */
export function withSegments(forge: Forge, header: string, payload: string): string {
  return `${header}.${payload}.${Buffer.from(forge.sign(`${header}.${payload}`)).toString('base64url')}`
}

/** The JSON of an object, with any string as the value of one member. */
export function jsonWith(object: object, member: string, text: string): string {
  return JSON.stringify({ ...object, [member]: '\0' }).replace('"\\u0000"', () => text)
}

/** The JSON of an object, with a string inserted before its last brace. */
export function jsonAnd(object: object, text: string): string {
  return `${JSON.stringify(object).slice(0, -1)}${text}}`
}
