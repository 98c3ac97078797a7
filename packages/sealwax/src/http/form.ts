import { AuthError } from '../errors.ts'
import type { Config } from '../options.ts'

/** Whether a path is one where clients of OAuth expect forms, and errors as RFC 6749 has them. */
export type IsOAuthPath = (path: string) => boolean

export function oauthPaths({ basePath }: Config): IsOAuthPath {
  const prefix = `${basePath}/oauth/`
  return (path) => path.startsWith(prefix)
}

/**
 * Reads application/x-www-form-urlencoded (RFC 6749 App. B). A parameter without a value counts as left out, and none may come twice (§3.2).
 * Throws `invalid_request`.
 */
export function formDataOf(text: string): FormData {
  const form = new FormData()
  const pairs = text === '' ? [] : text.split('&', MOST_PAIRS + 1)
  if (pairs.length > MOST_PAIRS) throw new AuthError('invalid_request', `Send at most ${MOST_PAIRS} parameters`)
  for (const pair of pairs) {
    const [name = '', ...rest] = pair.split('=')
    const [key, value] = [formDecode(name), formDecode(rest.join('='))]
    if (key === undefined || value === undefined)
      throw new AuthError('invalid_request', 'The form is not well-formed, or not UTF-8')
    if (value === '') continue
    if (form.has(key)) throw new AuthError('invalid_request', 'A parameter must not come twice')
    form.set(key, value)
  }
  return form
}

/** A form looks through all it has for each name, and whoever sends one is not known yet. */
const MOST_PAIRS = 64

/** One name or value of a form; undefined when its octets are not UTF-8, or a percent sign stands alone. */
export function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' ').replace(/[^\x20-\x7e]/g, bareOctet))
  } catch {
    return undefined
  }
}

/** Octets that nobody escaped count as the octets they are. */
function bareOctet(octet: string): string {
  return `%${octet.charCodeAt(0).toString(16).padStart(2, '0')}`
}
