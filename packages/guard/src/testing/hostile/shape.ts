import { compact, type Forge, type Segment, type Signer } from '../forge.ts'

/** One hostile token: what is wrong with it, the rule that it breaks, and itself. */
export type Shape = readonly [name: string, source: string, token: string]

/** A token whose header has other members; `undefined` removes one. */
export function withHeader(forge: Forge, members: object, sign: Signer = forge.sign): string {
  return compact({ ...forge.header, ...members }, forge.claims, sign)
}

/** A token whose claims are others; `undefined` removes one. */
export function withClaims(forge: Forge, claims: object): string {
  return compact(forge.header, { ...forge.claims, ...claims }, forge.sign)
}

/** A token with any payload under the good header. */
export function withPayload(forge: Forge, payload: Segment): string {
  return compact(forge.header, payload, forge.sign)
}

/** A token signed by our own key over segments that are written out. */
export function withSegments(forge: Forge, header: string, payload: string): string {
  return `${header}.${payload}.${Buffer.from(forge.sign(`${header}.${payload}`)).toString('base64url')}`
}

/** JSON of an object, with one member written as any text. */
export function jsonWith(object: object, member: string, text: string): string {
  return JSON.stringify({ ...object, [member]: '\0' }).replace('"\\u0000"', () => text)
}

/** JSON of an object, with text before its last brace. */
export function jsonAnd(object: object, text: string): string {
  return `${JSON.stringify(object).slice(0, -1)}${text}}`
}
