import type { JwtErrorCode, JwtHeader, JwtPayload, VerifyOptions } from '@sealwax/jwt'

/** What a token should have said, and what it says. For the log, never for the client. */
export interface Mismatch {
  /** What is accepted, as the options name it. */
  readonly expected: string | readonly string[]
  /** What the token has; absent when it has none. Only of `alg` it was not signed by a trusted key. */
  readonly received?: string | readonly string[]
}

/** What a refusal of issuer, audience, type or algorithm is about; `undefined` for other codes. @param keyAlg of the key that the token names */
export function mismatchOf(
  code: JwtErrorCode,
  { header, payload }: { header: Partial<JwtHeader>; payload: JwtPayload },
  { issuer, audience, typ, algorithms }: Pick<VerifyOptions, 'issuer' | 'audience' | 'typ' | 'algorithms'>,
  keyAlg: string | undefined,
): Mismatch | undefined {
  if (code === 'ERR_JWT_ISSUER') return compared(issuer, payload.iss)
  if (code === 'ERR_JWT_AUDIENCE') return compared(audience, payload.aud)
  if (code === 'ERR_JWT_TYPE') return compared(typ, header.typ)
  if (code !== 'ERR_JWT_ALGORITHM') return undefined
  const isAllowed = algorithms === undefined || algorithms.includes(String(header.alg))
  return compared((isAllowed ? keyAlg : algorithms) ?? null, header.alg)
}

/** The same as a sentence: a difference of one slash is the most frequent one, and hard to see. */
export function sentenceOf({ expected, received }: Mismatch): string {
  const bare = (text: string) => text.replace(/\/$/, '')
  const accepted = [expected].flat().map(bare)
  const onlySlash = [received ?? []].flat().some((text) => accepted.includes(bare(text)))
  return `expected ${quoted(expected)}, received ${received === undefined ? 'none' : quoted(received)}${onlySlash ? ': they differ only by a slash at the end' : ''}`
}

const MOST_NAMES = 8

function compared(expected: string | readonly string[] | null, received: unknown): Mismatch | undefined {
  if (expected === null) return undefined
  if (typeof received === 'string') return { expected, received: shown(received) }
  return Array.isArray(received)
    ? { expected, received: received.slice(0, MOST_NAMES).map((text) => shown(String(text))) }
    : { expected }
}

/** Cannot forge a line in a log, nor fill it. */
function shown(text: string): string {
  return text.slice(0, 256).replace(/[^\x20-\x7e]/g, '?')
}

function quoted(names: string | readonly string[]): string {
  return [names]
    .flat()
    .map((name) => `"${name}"`)
    .join(' or ')
}
