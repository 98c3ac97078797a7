import type { Forge } from './forge.ts'
import { algorithmShapes, headerKeyShapes, keyShapes } from './hostile/algorithms.ts'
import { claimShapes } from './hostile/claims.ts'
import type { Shape } from './hostile/shape.ts'
import { signatureShapes } from './hostile/signatures.ts'
import { encodingShapes, extensionShapes, jsonShapes } from './hostile/structure.ts'
import { forgeOf, type MintOptions, type TestIssuer } from './issuer.ts'

/** The kind of fault that a hostile token has. */
export type HostileCategory =
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'header'
  | 'extension'
  | 'json'
  | 'encoding'
  | 'claims'

/** A token that every API must refuse. */
export interface HostileToken {
  /** The category and the fault in words. Unique and stable, for `except`. */
  readonly name: string
  /** The kind of fault. */
  readonly category: HostileCategory
  /** The rule that it breaks, or the advisory that it comes from. */
  readonly source: string
  /** The token. */
  readonly token: string
}

const SHAPES: Readonly<Record<HostileCategory, (forge: Forge) => Iterable<Shape>>> = {
  algorithm: algorithmShapes,
  key: keyShapes,
  signature: signatureShapes,
  header: headerKeyShapes,
  extension: extensionShapes,
  json: jsonShapes,
  encoding: encodingShapes,
  claims: claimShapes,
}

/**
 * Creates about three hundred hostile tokens of an issuer. Each has one fault, and most are signed
 * with the issuer's own key, so that only the check for that fault refuses them. They are for an
 * API that accepts access tokens (RFC 9068, `typ: 'at+jwt'`) of this issuer for this audience.
 *
 * All can be sent in a header field. Names are the same for every issuer of one algorithm; tokens
 * differ.
 * @param issuer made by `createTestIssuer`
 * @param good the content of the token before the fault: the roles and scopes that the route
 * requires
 */
export function hostileTokens(issuer: TestIssuer, good: MintOptions = {}): HostileToken[] {
  const forge = forgeOf(issuer, good)
  const tokens: HostileToken[] = []
  for (const [category, shapes] of Object.entries(SHAPES) as [HostileCategory, (forge: Forge) => Iterable<Shape>][]) {
    for (const [name, source, token] of shapes(forge))
      tokens.push({ name: `${category}: ${name}`, category, source, token })
  }
  return tokens
}
