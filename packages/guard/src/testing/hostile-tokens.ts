import type { Forge } from './forge.ts'
import { algorithmShapes, headerKeyShapes, keyShapes } from './hostile/algorithms.ts'
import { claimShapes } from './hostile/claims.ts'
import type { Shape } from './hostile/shape.ts'
import { signatureShapes } from './hostile/signatures.ts'
import { encodingShapes, extensionShapes, jsonShapes } from './hostile/structure.ts'
import { forgeOf, type MintOptions, type TestIssuer } from './issuer.ts'

/** What kind of fault a hostile token has. */
export type HostileCategory =
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'header'
  | 'extension'
  | 'json'
  | 'encoding'
  | 'claims'

/** A token that no API may accept. */
export interface HostileToken {
  /** The category and what is wrong, in words. Unique and stable: what `except` names. */
  readonly name: string
  readonly category: HostileCategory
  /** The rule that it breaks, or the advisory that it comes of. */
  readonly source: string
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
 * Makes hostile tokens of an issuer, some three hundred: each has one fault, and most are signed with the issuer's own key, so that nothing but
 * the check for that fault refuses it. They suit an API that takes access tokens (RFC 9068, `typ: 'at+jwt'`) of this issuer for this audience.
 *
 * All can be sent in a header field. Names are the same for every issuer of one algorithm; tokens differ.
 * @param issuer made by `createTestIssuer` @param good what the token says before it is spoilt: the roles and scopes that the route requires
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
