import { type AlgorithmName, browserAlgorithm, isAlgorithm } from './algorithms.ts'
import type { DecodedToken } from './decode.ts'
import { fits, type GivenKey, type GivenKeys, importVerificationKey, nameOf } from './keys.ts'
import { importSecret, type VerificationKey, verifySignature } from './sign.ts'

/** What is known about the signature of a token. */
export interface Verdict {
  readonly outcome: 'valid' | 'invalid' | 'no matching key' | 'algorithm not supported' | 'not signed' | 'not checked'
  /** What it means, in one or two sentences. */
  readonly message: string
}

/** What the reader gave to check the signature with. */
export type Evidence = { readonly secret: Uint8Array<ArrayBuffer> } | Extract<GivenKeys, { readonly isSet: boolean }>

/** Returns what is certain without any key; undefined if the signature has to be checked. */
export function judgeWithoutKey({ isEncrypted, header, signature }: DecodedToken): Verdict | undefined {
  const alg = header?.value?.alg
  if (isEncrypted) return verdict('not checked', 'The token is encrypted. Only its recipient can check it.')
  if (typeof alg === 'string' && alg.toLowerCase() === 'none') {
    return verdict('not signed', 'alg is none: anyone can have written this token.')
  }
  if (signature === undefined) return verdict('not signed', 'The token has no signature: anyone can have written it.')
  if (typeof alg !== 'string') {
    return verdict('not checked', 'The header does not say which algorithm signed the token.')
  }
  return isAlgorithm(alg)
    ? undefined
    : verdict('algorithm not supported', `Browsers cannot check signatures of ${alg}.`)
}

/** Checks the signature of a token, in this browser. Never throws. */
export async function judgeSignature(decoded: DecodedToken, evidence: Evidence): Promise<Verdict> {
  const certain = judgeWithoutKey(decoded)
  if (certain !== undefined) return certain
  if (crypto.subtle === undefined) {
    return verdict('not checked', 'The browser checks signatures only on pages that came over HTTPS or from localhost.')
  }
  const { token, header } = decoded
  const alg = header?.value?.alg as AlgorithmName
  const kid = header?.value?.kid
  try {
    return 'secret' in evidence
      ? await judgeBySecret(token, alg, evidence.secret)
      : await judgeByKeys(token, alg, kid, evidence)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotSupportedError') {
      return verdict('algorithm not supported', `This browser cannot check signatures of ${alg}.`)
    }
    return verdict('no matching key', `The browser refuses the key: it is damaged, or not a key for ${alg}.`)
  }
}

async function judgeBySecret(token: string, alg: AlgorithmName, secret: Uint8Array<ArrayBuffer>): Promise<Verdict> {
  if (browserAlgorithm(alg)?.kty !== 'oct') {
    return verdict('no matching key', `${alg} is verified with a public key, not with a secret.`)
  }
  if (secret.length === 0) return verdict('not checked', 'The secret is empty.')
  const isValid = await verifySignature(token, await importSecret(secret, alg))
  return isValid
    ? VALID
    : verdict('invalid', 'The token was changed after it was signed, or signed with another secret.')
}

const VALID: Verdict = verdict('valid', 'The token was signed with this key, and nothing was changed since.')

async function judgeByKeys(
  token: string,
  alg: AlgorithmName,
  kid: unknown,
  { keys, isSet }: Extract<Evidence, { readonly isSet: boolean }>,
): Promise<Verdict> {
  const named = isSet && kid !== undefined ? keys.filter((key) => 'jwk' in key && key.jwk.kid === kid) : keys
  if (named.length === 0) {
    return verdict(
      'no matching key',
      `None of the keys has the kid “${String(kid)}”. There are: ${keys.map(nameOf).join(', ')}.`,
    )
  }
  const candidates = named.filter((key) => fits(key, alg))
  if (candidates.length === 0) return verdict('no matching key', mismatch(alg, named))
  const imported = await importAll(candidates, alg)
  for (const key of imported) {
    if (await verifySignature(token, key)) return validWith(key, kid, isSet && keys.length > 1)
  }
  const other = candidates.length > 1 ? 'with none of these keys' : 'with another key'
  return verdict('invalid', `The token was changed after it was signed, or signed ${other}.`)
}

/** One damaged key does not keep the others from being tried. */
async function importAll(candidates: readonly GivenKey[], alg: AlgorithmName): Promise<VerificationKey[]> {
  const results = await Promise.allSettled(candidates.map((key) => importVerificationKey(key, alg)))
  const imported = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const [first] = results
  if (imported.length === 0 && first?.status === 'rejected') throw first.reason
  return imported
}

function mismatch(alg: AlgorithmName, keys: readonly GivenKey[]): string {
  if (browserAlgorithm(alg)?.kty !== 'oct') return `The token says ${alg}. There is ${keys.map(nameOf).join(', ')}.`
  return `The token says ${alg}, which is verified with a secret, and this is a public key. A verifier that takes a public key for a secret accepts forged tokens (RFC 8725, section 2.1).`
}

function validWith(key: VerificationKey, kid: unknown, isOneOfSeveral: boolean): Verdict {
  if (kid === undefined && isOneOfSeveral) {
    return verdict(
      'valid',
      `${VALID.message} The token has no kid, so a verifier must try every key; Sealwax refuses it.`,
    )
  }
  if (key.kid !== undefined && kid !== undefined && key.kid !== kid) {
    return verdict(
      'valid',
      `${VALID.message} But the kid of the token is not the kid of the key, so a verifier would not find it.`,
    )
  }
  return VALID
}

function verdict(outcome: Verdict['outcome'], message: string): Verdict {
  return { outcome, message }
}
