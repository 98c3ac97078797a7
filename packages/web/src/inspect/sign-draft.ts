import type { JsonObject } from '../token/decode.ts'
import { generateKey, importSecret, type SIGNING_ALGORITHMS, type SigningKey, signToken } from '../token/sign.ts'

/** What the form for a new token contains. */
export interface SignDraft {
  readonly alg: (typeof SIGNING_ALGORITHMS)[number]
  /** For the algorithms that need one. */
  readonly secret: string
  /** The last key that was generated. */
  readonly key?: SigningKey | undefined
  readonly typ: string
  readonly iss: string
  readonly sub: string
  readonly aud: string
  /** In seconds; an empty text for a token without `exp`. */
  readonly lifetime: string
  /** Further claims as a JSON object. */
  readonly claims: string
}

/** The form as it is at first. */
export const NEW_DRAFT: SignDraft = {
  ...{ alg: 'ES256', secret: '', typ: 'at+jwt' },
  ...{ iss: 'https://issuer.example', sub: 'ada', aud: 'https://api.example' },
  ...{ lifetime: '900', claims: '{\n  "roles": ["student"]\n}' },
}

/** Whether an algorithm signs with a secret. */
export function needsSecret(alg: string): boolean {
  return alg.startsWith('HS')
}

/** Returns the claims of the form, without empty fields, or what is wrong with the form. */
export function claimsOf(
  { iss, sub, aud, lifetime, claims }: SignDraft,
  now: number,
  jti: string,
): { readonly claims: JsonObject } | { readonly fault: string } {
  let further: unknown
  try {
    further = claims.trim() === '' ? {} : JSON.parse(claims)
  } catch {
    return { fault: 'The further claims are not JSON.' }
  }
  if (typeof further !== 'object' || further === null || Array.isArray(further)) {
    return { fault: 'The further claims are not a JSON object, such as {"roles": ["student"]}.' }
  }
  const iat = Math.floor(now)
  return {
    claims: {
      ...(iss !== '' && { iss }),
      ...(sub !== '' && { sub }),
      ...(aud !== '' && { aud }),
      ...{ iat, ...(lifetime !== '' && { exp: iat + Number(lifetime) }), jti },
      // Last, so that every claim can be set to a wrong value, to see how an API reacts.
      ...further,
    },
  }
}

/** A token, and the key that signed it. */
export interface Signed {
  readonly token: string
  readonly key: SigningKey
}

/** Signs the token that the form describes, with a new key if there is none yet. */
export async function signDraft(draft: SignDraft, now: number): Promise<Signed | { readonly fault: string }> {
  const { alg, secret, typ, key: last } = draft
  if (crypto.subtle === undefined) {
    return { fault: 'The browser signs only on pages that came over HTTPS or from localhost.' }
  }
  if (needsSecret(alg) && secret === '') return { fault: 'The secret is empty. Type one, or generate it.' }
  const result = claimsOf(draft, now, crypto.randomUUID())
  if ('fault' in result) return result
  try {
    const key = needsSecret(alg) ? await importSecret(secret, alg) : last?.alg === alg ? last : await generateKey(alg)
    return { token: await signToken(result.claims, key, typ === '' ? {} : { typ }), key }
  } catch {
    return { fault: `This browser cannot sign with ${alg}.` }
  }
}
