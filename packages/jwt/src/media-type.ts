/** A `typ` value that can be written and compared: printable ASCII without white space or parameters. */
const restrictedName = /^[\x21-\x3a\x3c-\x7e]{1,127}$/

/** Whether a value may stand for a `typ`: a media type, or one without its `application/` (RFC 7515 §4.1.9). */
export function isMediaType(value: unknown): value is string {
  return value === 'at+jwt' || (typeof value === 'string' && restrictedName.test(value))
}

/**
 * Whether two `typ` values name one media type: compared without regard to case, `application/` optional on either
 * side. `right` is known to be one; a `left` that is not, or has parameters, equals nothing.
 */
export function sameMediaType(left: unknown, right: string): boolean {
  return left === right || (isMediaType(left) && bare(left) === bare(right))
}

/** Whether a `typ` names the JWT access tokens of RFC 9068. */
export function isAccessTokenType(typ: string | null): boolean {
  return typ === 'at+jwt' || (typ !== null && bare(typ) === 'at+jwt')
}

function bare(typ: string): string {
  const lower = typ.toLowerCase()
  return lower.startsWith('application/') && lower.indexOf('/', 12) < 0 ? lower.slice(12) : lower
}
