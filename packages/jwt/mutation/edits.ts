import { readFileSync } from 'node:fs'

/** A change to one source file that removes one check. */
export interface Edit {
  /** Relative to `src/`. */
  readonly file: string
  /** The exact text to replace, which occurs once. */
  readonly text: string
  readonly replacement: string
}

/** The files in which every `throw` is a check. */
export const checkedFiles = [
  ...['compact.ts', 'header.ts', 'verify.ts', 'claims.ts', 'verify-options.ts', 'options.ts'],
  ...[
    'jwk.ts',
    'weak-keys.ts',
    'jwks.ts',
    'keys.ts',
    'pem.ts',
    'key-objects.ts',
    'remote-jwks.ts',
    'remote-jwks-options.ts',
  ],
] as const

/** Parts of conditions, and checks that refuse without a `throw` of their own. */
const parts: readonly (readonly [file: string, text: string, replacement: string])[] = [
  ['compact.ts', 'if (second < 0 || token', 'if (token'],
  ['compact.ts', "second < 0 || token.indexOf('.', second + 1) >= 0", 'second < 0'],
  ['compact.ts', 'if (all < 0 || rest === 1)', 'if (rest === 1)'],
  ['compact.ts', 'if (all < 0 || rest === 1)', 'if (all < 0)'],
  ['compact.ts', 'if (first < 0 || second < 0 || third < 0) return -1', ''],
  ['compact.ts', 'if ((rest === 2 ? second & 15 : third & 3) !== 0) return -1', ''],
  ['compact.ts', 'second & 15 :', 'second & 7 :'],
  ['compact.ts', 'third & 3)', 'third & 1)'],
  ['compact.ts', "if (typeof value !== 'object' || value === null || Array.isArray(value))", 'if (false)'],
  ['compact.ts', ' || Array.isArray(value)) throw', ') throw'],
  ['compact.ts', '{ fatal: true, ignoreBOM: true }', '{ fatal: false, ignoreBOM: true }'],
  ['compact.ts', '{ fatal: true, ignoreBOM: true }', '{ fatal: true }'],
  ['compact.ts', 'if (octet === 0x5c) i++', ''],
  ['compact.ts', 'members += countIn(value[i], escapes)', 'members += 0'],
  ['compact.ts', 'members += 1 + countIn((value as JsonObject)[name], escapes)', 'members += 1'],
  ['compact.ts', 'export const maxTokenLength = 16_384', 'export const maxTokenLength = 16_800'],
  ['compact.ts', 'export const maxDepth = 32', 'export const maxDepth = 33'],
  ['compact.ts', 'export const maxMembers = 1024', 'export const maxMembers = 1025'],
  ['header.ts', "['crit', 'b64',", "['b64',"],
  ['header.ts', "'b64', 'zip'", "'zip'"],
  ['header.ts', "'zip', 'enc'", "'enc'"],
  ['header.ts', "'enc', 'cty'", "'cty'"],
  ['header.ts', ", 'cty']", ']'],
  ['header.ts', " || kid === ''", ''],
  ['header.ts', ' || kid.length > 256', ''],
  ['header.ts', "typeof kid !== 'string' || ", ''],
  ['verify.ts', 'material.row.alg !== alg && material.row.scheme !== algorithms.get(alg)?.scheme', 'false'],
  ['verify.ts', 'signature.length !== material.signatureLength || ', ''],
  ['verify.ts', ' || !checkSignature(material, input, signature)', ''],
  ['verify.ts', 'checkParameters(header)\n', '{}\n'],
  ['verify.ts', 'checkClaims(payload, rules)', ''],
  ['verify.ts', "if (typeof header[name] === 'object') return", ''],
  ['verify.ts', 'lastKnown?.segment.length === length &&', 'lastKnown !== undefined &&'],
  ['verify.ts', ' && token.startsWith(lastKnown.segment)', ''],
  [
    'verify.ts',
    'kid !== undefined ? keys.get(kid, alg) : keys.keys.length === 1 ? keys.keys[0] : undefined',
    'keys.get(kid ?? "") ?? keys.keys[0]',
  ],
  ['verify.ts', 'keys.keys.length === 1 ? keys.keys[0] : undefined', 'keys.keys[0]'],
  ['verify.ts', 'kid === undefined ? keys.length === 1 :', 'kid === undefined ? true :'],
  ['claims.ts', 'checkTypes(payload, rules.numericSubject)\n', '\n'],
  ['claims.ts', 'numericSubject && Number.isSafeInteger(sub)', 'Number.isSafeInteger(sub)'],
  ['claims.ts', 'numericSubject && Number.isSafeInteger(sub)', 'numericSubject'],
  ['claims.ts', 'if (rules.accessToken) checkAccessToken(payload)', ''],
  ['claims.ts', 'if (rules.maxLifetime !== undefined) checkLifetime(payload, rules.maxLifetime)', ''],
  ['claims.ts', 'if (rules.issuer !== null) checkIssuer(payload, rules.issuer)', ''],
  ['claims.ts', 'if (rules.audience !== null) checkAudience(payload, rules.audience)', ''],
  ['claims.ts', 'if (rules.requiredClaims !== undefined) for', 'if (false) for'],
  ['claims.ts', "checkIdentifier(payload, 'sub')", ''],
  ['claims.ts', "checkIdentifier(payload, 'jti')", ''],
  ['claims.ts', "checkIdentifier(payload, 'client_id')", ''],
  ['claims.ts', "if (typeof element !== 'string') return false", ''],
  ['claims.ts', '!Object.hasOwn(payload, claim)', '!(claim in payload)'],
  ['claims.ts', ' || value.length > 256', ''],
  ['claims.ts', ' || !isVisible(value)', ''],
  ['claims.ts', "typeof value !== 'string' || value.length", 'value.length'],
  ['claims.ts', 'code < 0x20 || ', ''],
  ['claims.ts', ' || (code >= 0x7f && code <= 0x9f)', ''],
  ['claims.ts', "return visible || text.trim() !== ''", 'return true'],
  ['claims.ts', 'lifetime > 0', 'lifetime >= 0'],
  ['claims.ts', 'nbf > now + tolerance', 'nbf > now + 60'],
  ['claims.ts', 'exp <= now - tolerance', 'exp < now - tolerance'],
  ['claims.ts', 'exp <= now - tolerance', 'exp <= now - 60'],
  ['claims.ts', 'const maxIssuedAhead = 60', 'const maxIssuedAhead = 61'],
  ['verify-options.ts', '? accessTokenLifetime', '? undefined'],
  ['verify-options.ts', 'const maxTolerance = 60', 'const maxTolerance = 61'],
  ['verify-options.ts', ' || names.length === 0', ''],
  ['verify-options.ts', '!Array.isArray(names) || ', ''],
  ['options.ts', " || text === ''", ''],
  ['options.ts', '|| value.length === 0', ''],
  ['options.ts', "return value !== ''", 'return true'],
  ['jwk.ts', "checkUse(jwk, operation ?? (half === 'public' ? 'verify' : 'sign'))", ''],
  ['jwk.ts', "if (kid !== undefined) checkKid(kid, 'kid of the JWK')", ''],
  ['jwk.ts', 'else checkEd25519Point(x)', ''],
  ['jwk.ts', "checkSecret(octets(jwk, 'k'), row)", '{}'],
  ['jwk.ts', "checkRsaPublicKey(octets(jwk, 'n'), octets(jwk, 'e'))", ''],
  ['jwk.ts', 'row.kty !== jwk.kty || row.crv !== jwk.crv', 'row.kty !== jwk.kty'],
  ['jwk.ts', 'row.kty !== jwk.kty || row.crv !== jwk.crv', 'row.crv !== jwk.crv'],
  ['jwk.ts', "octets(jwk, 'y', row.coordinateLength)", "octets(jwk, 'y')"],
  ['jwk.ts', "octets(jwk, 'x', row.coordinateLength)", "octets(jwk, 'x')"],
  ['jwk.ts', ' || kid.length > 256', ''],
  ['jwk.ts', " || kid === ''", ''],
  ['jwk.ts', ' || !kid.isWellFormed()', ''],
  ['weak-keys.ts', 'bits < minModulusBits || ', ''],
  ['weak-keys.ts', ' || bits > maxModulusBits', ''],
  ['weak-keys.ts', 'exponent < 3n || ', ''],
  ['weak-keys.ts', ' || exponent % 2n === 0n', ''],
  ['weak-keys.ts', 'e.length > 4 ? 0n : toBigInt(e)', 'toBigInt(e)'],
  ['weak-keys.ts', '  1n,\n', ''],
  ['weak-keys.ts', '  0n,\n', ''],
  ['weak-keys.ts', '  p25519 - 1n,\n', ''],
  ['weak-keys.ts', '  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,\n', ''],
  ['weak-keys.ts', '  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,\n', ''],
  ['jwks.ts', 'if (keys.length === 1) return keys', 'return keys'],
  ['jwks.ts', 'if (!skipUnusable) refuseMixedSecrets(listed)', ''],
  ['jwks.ts', 'foreignReason(jwk) ?? ', ''],
  ['jwks.ts', 'issuer === undefined ? undefined : otherIssuerReason(jwk, issuer)', 'undefined'],
  ['jwk.ts', 'named === issuer ? undefined :', 'true ? undefined :'],
  ['jwk.ts', "named.replace('{tenantid}', () => tenant) === issuer && ", ''],
  ['jwk.ts', ' && /^[\\w-]+$/.test(tenant)', ''],
  ['jwks.ts', '&& scheme(one.alg) === scheme(alg)', ''],
  ['verify.ts', 'allowed === undefined || ', ''],
  ['verify.ts', 'material.others === undefined || ', ''],
  ['verify.ts', ' || row?.kty !== material.row.kty', ''],
  ['keys.ts', "facts.row.kty === 'RSA' && options.alg === undefined &&", "facts.row.kty === 'RSA' &&"],
  ['keys.ts', ' && jwk.alg === undefined', ''],
  ['keys.ts', "if (kid !== undefined) checkKid(kid, 'importKey: kid')", ''],
  ['keys.ts', 'checkSecret(source, row)', ''],
  ['pem.ts', "body.includes('Proc-Type: 4,ENCRYPTED')", 'false'],
  ['pem.ts', 'encrypted && passphrase === undefined', 'false'],
  ['keys.ts', " || typeof source !== 'string')) {", ')) {'],
  ['remote-jwks.ts', 'if (flight !== undefined) return flight.result', ''],
  ['remote-jwks.ts', 'if (flight === undefined && !rested) return current.set', ''],
  ['remote-jwks.ts', 'if (flight === undefined && !rested && failure !== undefined) throw failure', ''],
  ['remote-jwks.ts', 'Math.min(cacheMaxAge, maxAge)', 'maxAge'],
  ['remote-jwks.ts', 'Math.min(cacheMaxAge, maxAge)', 'cacheMaxAge'],
  ['remote-jwks.ts', "redirect: 'manual', ", ''],
  ['remote-jwks.ts', 'age >= 0 ? age : Number.POSITIVE_INFINITY', 'age'],
  [
    'remote-jwks.ts',
    'if (closed || current === undefined) return undefined',
    'if (current === undefined) return undefined',
  ],
  ['remote-jwks.ts', 'flight !== undefined || elapsed(settledAt) >= coolDown ? refresh() : undefined', 'refresh()'],
  ['remote-jwks.ts', 'buildKeySet(parseJson(text), true, issuer)', 'buildKeySet(parseJson(text), false, issuer)'],
  ['remote-jwks-options.ts', " || issuer === ''", ''],
  ['body.ts', '{ fatal: true }', '{}'],
  ['body.ts', 'size > limit', 'false'],
  ['remote-jwks-options.ts', "url.username !== '' || ", ''],
  ['remote-jwks-options.ts', "url.password !== '' || ", ''],
  ['remote-jwks-options.ts', " || text.includes('#')", ''],
  ['loopback.ts', 'isLoopback(hostname) ||', 'true ||'],
  ['loopback.ts', 'allowHttp.includes(origin)', 'allowHttp.length > 0'],
  ['loopback.ts', "protocol === 'http:' && (", '('],
  ['loopback.ts', ' && new URL(text).origin === text', ''],
  ['loopback.ts', "text.startsWith('http:') && ", ''],
  ['loopback.ts', 'value.length > 0 && ', ''],
  ['claims.ts', "checkValue(payload, 'sub', rules.subject)", '{}'],
  ['claims.ts', "checkValue(payload, 'jti', rules.jwtid)", '{}'],
  ['claims.ts', "if (rules.maxTokenAge !== undefined) requireClaim(payload, 'iat')", ''],
  ['claims.ts', 'iat < now - tolerance - maxTokenAge', 'iat < now - 60 - maxTokenAge'],
  ['jwk.ts', "octets(jwk, 'pub', row.coordinateLength)", "octets(jwk, 'pub')"],
  ['jwk.ts', "octets(jwk, 'priv', 32)", "octets(jwk, 'priv')"],
  ['jwk.ts', ", 'priv']", ']'],
  ['key-objects.ts', ' || mgf1HashAlgorithm !== hashAlgorithm', ''],
  ['key-objects.ts', ' || saltLength > Number(bits) / 8', ''],
  ['keys.ts', 'alg !== undefined && alg !== (given.alg ?? alg)', 'false'],
]

const sourceOf = (file: string) => readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8')

/** How often a text occurs in a source file. */
export function occurrences({ file, text }: Edit): number {
  return sourceOf(file).split(text).length - 1
}

export const listedEdits: readonly Edit[] = parts.map(([file, text, replacement]) => ({ file, text, replacement }))

/** On Node 22, `npm run test:runtimes` detects it. Runtimes with ML-DSA never get there. */
const withoutMlDsa = 'throw refuseKey(withoutMlDsa, cause)'

/**
 * An edit for every `throw` of the checked files that replaces it with `void`, so that execution
 * continues. The text includes as many preceding lines as make it unique.
 */
export function throwEdits(): Edit[] {
  return checkedFiles.flatMap((file) => {
    const source = sourceOf(file)
    const throws = [...source.matchAll(/\bthrow (?=\w)/g)].filter(
      ({ index }) => !source.startsWith(withoutMlDsa, index),
    )
    return throws.map(({ index }) => {
      const end = source.indexOf('\n', index)
      let start = source.lastIndexOf('\n', index) + 1
      while (source.split(source.slice(start, end)).length > 2) start = source.lastIndexOf('\n', start - 2) + 1
      const text = source.slice(start, end)
      const place = index - start
      return { file, text, replacement: `${text.slice(0, place)}void ${text.slice(place + 6)}` }
    })
  })
}
