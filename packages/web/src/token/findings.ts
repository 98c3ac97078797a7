import { inspect } from '@sealwax/jwt/inspect'
import { isAlgorithm } from './algorithms.ts'
import type { DecodedToken, JsonObject } from './decode.ts'
import { findExposedValues } from './exposed-values.ts'
import type { Finding } from './finding.ts'
import { isInMilliseconds, showDuration } from './times.ts'

const DAY = 86_400
const ORDER: readonly Finding['kind'][] = ['refused', 'mistake', 'note']

/**
 * Returns what there is to say about a token besides its faults: why `verify` refuses it, and
 * mistakes of those who issued it. The signature is not checked here.
 *
 * @param now in seconds since 1970
 */
export function findMistakes(decoded: DecodedToken, now: number): Finding[] {
  const header = decoded.header?.value
  const payload = decoded.payload?.value
  return [
    ...refusedBySealwax(decoded, now),
    ...(header === undefined ? [] : [...judgeAlgorithm(header, decoded.isEncrypted), ...judgeKeyHints(header)]),
    ...(payload === undefined
      ? []
      : [...judgeDates(payload, now), ...judgeAddressees(payload), ...findExposedValues(payload)]),
  ]
}

/** Puts the worst first. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind))
}

/** What `inspect` finds, without what the faults or a sentence of ours already say. */
function refusedBySealwax({ token, header, isEncrypted, faults }: DecodedToken, now: number): Finding[] {
  if (token === '' || isEncrypted) return []
  const alg = header?.value?.alg
  const isSaid = (code: string, message: string) =>
    (code === 'ERR_JWT_MALFORMED' && faults.length > 0) ||
    (code === 'ERR_JWT_SIGNATURE' && message.includes('no signature')) ||
    (code === 'ERR_JWT_ALGORITHM' && typeof alg === 'string')
  return inspect(token, { currentDate: new Date(now * 1000) })
    .findings.filter(({ code, message }) => !isSaid(code, message))
    .map(({ code, message }) => ({ kind: 'refused', code, message }))
}

function judgeAlgorithm({ alg, cty, zip }: JsonObject, isEncrypted: boolean): Finding[] {
  if (isEncrypted) {
    return [
      ...(alg === 'RSA1_5' ? [mistake(RSA1_5)] : []),
      ...(zip === undefined ? [] : [note(COMPRESSED)]),
      ...(isNested(cty) ? [note('Inside is another token (cty): decrypt this one, then inspect the other.')] : []),
    ]
  }
  const nested = isNested(cty) ? [note('The payload is another token (cty), which has to be inspected by itself.')] : []
  if (typeof alg !== 'string') return nested
  if (alg.toLowerCase() === 'none') return [{ kind: 'refused', code: 'ERR_JWT_ALGORITHM', message: NONE }, ...nested]
  if (/^ML-DSA-(44|65|87)$/.test(alg)) return [note(`${alg} ${POST_QUANTUM}`), ...nested]
  if (!isAlgorithm(alg)) {
    const message = `${alg} is not an algorithm that this page or Sealwax knows. The token is decoded, but cannot be verified here.`
    return [{ kind: 'refused', code: 'ERR_JWT_ALGORITHM', message }, ...nested]
  }
  return [...(alg.startsWith('HS') ? [note(`${alg} ${SHARED_SECRET}`)] : []), ...nested]
}

const NONE =
  'alg is none: the token is not signed, so anyone can have written it. A verifier that accepts it accepts everything (RFC 8725, section 2.1).'
const POST_QUANTUM =
  'resists quantum computers (RFC 9964). Sealwax verifies it; this page cannot, since browsers do not have it.'
const SHARED_SECRET =
  'uses one secret to sign and to verify: everyone who can check such a token can also make one. With several services, use ES256 or another algorithm with a key pair.'
const RSA1_5 =
  'RSA1_5 can be decrypted by trial when a server tells how decryption failed. Use RSA-OAEP-256 or ECDH-ES (RFC 8725, section 3.2).'
const COMPRESSED =
  'The content was compressed before encryption, so its length can reveal parts of it (RFC 8725, section 3.6).'

function isNested(cty: unknown): boolean {
  return typeof cty === 'string' && /^(application\/)?jwt$/i.test(cty)
}

function judgeKeyHints(header: JsonObject): Finding[] {
  const findings = ['jku', 'x5u']
    .filter((name) => header[name] !== undefined)
    .map((name) =>
      mistake(
        `${name} tells the verifier where to fetch the key. Whoever made the token chose the address, so a verifier that follows it accepts forged tokens and calls any server on command (RFC 8725, section 3.10).`,
      ),
    )
  for (const name of ['jwk', 'x5c'].filter((one) => header[one] !== undefined)) {
    const what = name === 'jwk' ? 'A key' : 'A certificate'
    const message = `${what} in the header (${name}) was put there by whoever made the token. A verifier that uses it without trusting it beforehand accepts forged tokens.`
    findings.push(mistake(message))
  }
  const { kid } = header
  if (typeof kid === 'string' && /[/\\'"`;|<>$\0]|\.\.|%2f|%5c|\s--/i.test(kid)) {
    const message = `kid contains characters of a path, a query or a command. A verifier that puts it into a file name or into SQL can be attacked with it (RFC 8725, section 3.10); it should only be compared with the ids of known keys.`
    findings.push(mistake(message))
  }
  return findings
}

function judgeDates({ exp, iat, nbf }: JsonObject, now: number): Finding[] {
  const wrongUnit = Object.entries({ exp, nbf, iat })
    .filter(([, value]) => isInMilliseconds(value))
    .map(([name]) =>
      mistake(
        `${name} is in milliseconds. Dates in a token are in seconds (RFC 7519, section 2), so this one lies thousands of years ahead.`,
      ),
    )
  if (exp === undefined) {
    return [...wrongUnit, mistake('There is no exp: the token never expires, and a stolen one stays valid for good.')]
  }
  const start = [iat, nbf, now].find((value) => typeof value === 'number') as number
  if (wrongUnit.length > 0 || typeof exp !== 'number' || exp - start <= DAY) return wrongUnit
  const from = start === now ? ' from now' : ''
  const message = `The token is valid for ${showDuration(exp - start)}${from}. An access token should live for minutes, since a stolen one works until it expires.`
  return [mistake(message)]
}

function judgeAddressees({ aud, iss }: JsonObject): Finding[] {
  return [
    ...(aud === undefined
      ? [mistake('There is no aud: a token for one API is accepted by every API that trusts the same key.')]
      : []),
    ...(iss === undefined
      ? [mistake('There is no iss: an API that trusts more than one issuer cannot tell which one made the token.')]
      : []),
  ]
}

function mistake(message: string): Finding {
  return { kind: 'mistake', message }
}

function note(message: string): Finding {
  return { kind: 'note', message }
}
