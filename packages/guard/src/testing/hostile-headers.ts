/** The header fields of a request that every API must refuse. */
export interface HostileHeaders {
  /** The fault in words. Unique and stable. */
  readonly name: string
  /** The rule that it breaks. */
  readonly source: string
  /** The header fields. */
  readonly headers: Record<string, string>
}

/**
 * Creates requests with a valid token in an invalid Authorization header (RFC 6750 §2.1), and one
 * without a token.
 * @param token a valid token
 */
export function hostileHeaders(token: string): HostileHeaders[] {
  const values: Record<string, string> = {
    'the token without a scheme': token,
    'the scheme alone': 'Bearer',
    'the scheme and a comma': 'Bearer ,',
    'two blanks': `Bearer  ${token}`,
    'a tab': `Bearer\t${token}`,
    'no blank': `Bearer${token}`,
    'an equals sign': `Bearer=${token}`,
    'another scheme': `Token ${token}`,
    'Basic credentials': `Basic ${Buffer.from(`user:${token}`).toString('base64')}`,
    'quotes around the token': `Bearer "${token}"`,
    'two tokens': `Bearer ${token} ${token}`,
    'two credentials': `Bearer ${token}, Bearer ${token}`,
    'a parameter': `Bearer ${token};q=1`,
    'a letter beyond ASCII': `Bearer ${token}\xe9`,
  }
  const named = Object.entries(values).map(([name, authorization]) => ({ name, headers: { authorization } }))
  const elsewhere = { name: 'a token in another header', headers: { 'x-authorization': `Bearer ${token}` } }
  const cases = [{ name: 'nothing', headers: {} }, ...named, elsewhere]
  return cases.map(({ name, headers }) => ({ name: `request: ${name}`, source: 'RFC 6750 §2.1', headers }))
}
