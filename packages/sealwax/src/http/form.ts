import type { Config } from '../core/options.ts'
import { AuthError } from '../errors.ts'

/** Whether a path takes OAuth forms and returns errors of RFC 6749. */
export type IsOAuthPath = (path: string) => boolean

export function oauthPaths({ basePath }: Config): IsOAuthPath {
  const prefix = `${basePath}/oauth/`
  return (path) => path.startsWith(prefix)
}

/** Whether a path takes a form: OAuth, and the pages that the links in mails lead to. */
export function formPaths(config: Config): (path: string) => boolean {
  const isOAuth = oauthPaths(config)
  const prefix = `${config.basePath}/account/`
  return (path) => isOAuth(path) || path.startsWith(prefix)
}

/**
 * Parses application/x-www-form-urlencoded (RFC 6749 App. B). A parameter without a value counts as
 * omitted, and none may be repeated (§3.2).
 *
 * @throws {AuthError} `invalid_request`
 */
export function parseForm(text: string): FormData {
  const form = new FormData()
  const pairs = text === '' ? [] : text.split('&', MOST_PAIRS + 1)
  if (pairs.length > MOST_PAIRS) throw new AuthError('invalid_request', `Send at most ${MOST_PAIRS} parameters`)
  for (const pair of pairs) {
    const [name = '', ...rest] = pair.split('=')
    const [key, value] = [formDecode(name), formDecode(rest.join('='))]
    if (key === undefined || value === undefined)
      throw new AuthError('invalid_request', 'The form is malformed or not UTF-8')
    if (value === '') continue
    if (form.has(key)) throw new AuthError('invalid_request', 'A parameter must not be repeated')
    form.set(key, value)
  }
  return form
}

/** Limited, since lookups in a form take linear time and the client is not authenticated yet. */
const MOST_PAIRS = 64

/** Decodes a name or value of a form. Returns `undefined` if it is not UTF-8 or has a lone `%`. */
export function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' ').replace(/[^\x20-\x7e]/g, bareOctet))
  } catch {
    return undefined
  }
}

/** Escapes an octet that was sent unescaped. */
function bareOctet(octet: string): string {
  return `%${octet.charCodeAt(0).toString(16).padStart(2, '0')}`
}
