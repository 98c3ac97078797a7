import type { GuardRequest } from '../request/request.ts'

/**
 * Returns the URLs of a request as its client sees them, one for each base: without query and
 * fragment, normalized as RFC 3986 §6.2.2 describes. None for a target that two programs may read
 * differently: with a backslash, a control character or a dot segment.
 * @param bases the URLs under which clients reach `/`, without a slash at the end
 */
export function urlsOfRequest({ url, originalUrl }: GuardRequest, bases: readonly string[]): readonly string[] {
  const path = pathOf(originalUrl ?? url ?? '')
  if (path === undefined) return []
  return bases.map((base) => normalizedUrl(base + path)).filter((one) => one !== undefined)
}

/**
 * Returns a URL without query and fragment, so that two spellings of one URL are equal strings;
 * `undefined` if it is not an absolute http or https URL.
 */
export function normalizedUrl(text: string): string | undefined {
  if (!/^https?:\/\/[^\\\s]*$/i.test(text) || !URL.canParse(text)) return undefined
  const { origin, username, password, pathname } = new URL(text)
  if (username !== '' || password !== '') return undefined
  return origin + pathname.replace(/%[0-9a-f]{2}/gi, spelledOut)
}

function pathOf(target: string): string | undefined {
  // A web Request has the whole URL. Its host is that of the Host field, which anyone can choose:
  // only the path is used.
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/)
  const isClear = path.startsWith('/') && !/[\\\p{Cc}\s]|\/(?:\.|%2e){1,2}(?:\/|$)/iu.test(path)
  return isClear ? path : undefined
}

/** Decodes the characters that need no encoding (RFC 3986 §2.3). */
function spelledOut(octet: string): string {
  const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16))
  return /[A-Za-z0-9\-._~]/.test(character) ? character : octet.toUpperCase()
}
