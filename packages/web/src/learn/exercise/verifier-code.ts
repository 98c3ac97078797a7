/** The verifier with gaps. It refuses every token, the good one too. */
export const VERIFIER_START = `// Returns the claims of a valid token. Throws an error for any other token.
async function verify(token, secret) {
  // 1. Split the token at its dots. Refuse it unless it has exactly three parts.
  const parts = []
  const [header, payload, signature] = parts

  // 2. Refuse the token unless alg is HS256.
  const { alg } = JSON.parse(decode(header))

  // 3. Recompute the signature over the first two parts, with the dot between them.
  const expected = ''

  // 4. Refuse the token unless both signatures are equal. Compare in constant time.

  // 5. Refuse the token if exp is missing or not in the future.
  const claims = JSON.parse(decode(payload))

  return claims
}
`

/** One way to complete the verifier. */
export const VERIFIER_SOLUTION = `// Returns the claims of a valid token. Throws an error for any other token.
async function verify(token, secret) {
  const parts = token.split('.')
  if (parts.length !== 3) throw new Error('not three parts')
  const [header, payload, signature] = parts

  const { alg } = JSON.parse(decode(header))
  if (alg !== 'HS256') throw new Error('alg is not HS256')

  const expected = await hmac(secret, header + '.' + payload)
  if (!equal(signature, expected)) throw new Error('the signature is wrong')

  const claims = JSON.parse(decode(payload))
  if (typeof claims.exp !== 'number') throw new Error('exp is missing')
  if (claims.exp <= Date.now() / 1000) throw new Error('expired')

  return claims
}
`
