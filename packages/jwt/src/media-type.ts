/** A media type name: printable ASCII without white space or parameters. */
const restrictedName = /^[\x21-\x3a\x3c-\x7e]{1,127}$/

/**
 * Whether a value can be a `typ`: a media type, with or without `application/` (RFC 7515 §4.1.9).
 */
export function isMediaType(value: unknown): value is string {
  return value === 'at+jwt' || (typeof value === 'string' && restrictedName.test(value))
}

/**
 * Whether two `typ` values name the same media type: case does not matter, `application/` is
 * optional on either side. `right` must be a media type; any other `left` never matches.
 */
export function sameMediaType(left: unknown, right: string): boolean {
  return left === right || (isMediaType(left) && bare(left) === bare(right))
}

/** Whether a `typ` names a JWT access token (RFC 9068 §2.1). */
export function isAccessTokenType(typ: string | null): boolean {
  return typ === 'at+jwt' || (typ !== null && bare(typ) === 'at+jwt')
}

function bare(typ: string): string {
  const lower = typ.toLowerCase()
  return lower.startsWith('application/') && lower.indexOf('/', 12) < 0 ? lower.slice(12) : lower
}
