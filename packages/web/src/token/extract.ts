import type { Fault } from './fault.ts'

// Each pattern looks behind, so that a long run of its characters is read only once.
const QUOTES = /^["'`“”„‘’«»]+|(?<!["'`“”„‘’«»])["'`“”„‘’«»]+[,;]?$/g
const SCHEME = /^(?:authorization\s*:\s*)?(bearer|dpop|jwt)[\s:]+/i
/** As below, at the beginning or the end. */
const AROUND = /^[\s\u200b-\u200d\u2060\ufeff]+|(?<![\s\u200b-\u200d\u2060\ufeff])[\s\u200b-\u200d\u2060\ufeff]+$/g
/** White space, and characters that nobody sees: zero-width ones and the byte order mark. */
const INVISIBLE = /[\s\u200b-\u200d\u2060\ufeff]+/g
/**
 * A token in other text. The JSON of a header begins with a brace, which is `ey` in base64url.
 * Other letters may come directly before it, as in `token%3Dey`.
 */
const WITHIN = /(?<![\w-])(?=[\w-]+\.[\w-]+\.)[\w-]*?(ey[\w-]+\.[\w-]+(?:\.[\w-]*){1,3})/

/**
 * Takes a token out of what was copied with it: quotes, `Bearer`, white space, other text.
 *
 * @param faults where to add what was found
 */
export function extractToken(text: string, faults: Fault[]): string {
  const found = new Map<Fault['name'], string>()
  let rest = text
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = rest.replace(AROUND, '')
    if (rest !== before && rest !== '') found.set('white-space', 'There is white space before or after the token.')
    const unquoted = rest.replace(QUOTES, '')
    if (unquoted !== rest) found.set('quotes', 'There is a quotation mark before or after the token.')
    rest = unquoted
    const scheme = SCHEME.exec(rest)
    if (scheme !== null) {
      found.set('scheme', `“${scheme[1]}” is not part of the token: it names the scheme in the header Authorization.`)
      rest = rest.slice(scheme[0].length)
    }
  }
  const joined = rest.replace(INVISIBLE, '')
  const within = /^[\w.+/=-]*$/.test(joined) ? undefined : findWithin(rest)
  if (within !== undefined) {
    found.set('surroundings', 'There is other text around the token.')
    rest = within
  } else if (joined !== rest) {
    const message = /[\r\n]/.test(rest)
      ? 'There is white space in the token: a line break.'
      : 'There is white space in the token.'
    found.set('white-space', message)
    rest = joined
  }
  for (const [name, message] of found) {
    faults.push({ name, message: `${message} It is left out here.` })
  }
  return rest
}

/** A character that is wrong inside a token, such as `*`, does not make the token a quotation. */
function findWithin(text: string): string | undefined {
  const found = WITHIN.exec(text)
  const token = found?.[1]
  if (found === null || token === undefined) return undefined
  const isFirst = found.index === 0 && token === found[0]
  return !isFirst || /^["'`,;&<)}\]\s]/.test(text.slice(token.length)) ? token : undefined
}

/** No token has more. */
const MOST_PARTS = 6

/** Splits a token to show it. After too many dots, the rest is one part: each one costs time. */
export function shownParts(token: string): readonly string[] {
  const parts = token.split('.')
  if (parts.length <= MOST_PARTS) return parts
  return [...parts.slice(0, MOST_PARTS - 1), parts.slice(MOST_PARTS - 1).join('.')]
}
