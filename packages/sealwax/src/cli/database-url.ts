import { AuthError } from '../errors.ts'
import { parsePostgresUrl } from '../store/postgres/url.ts'

/** What is wrong with a database URL, as a sentence that starts with `name` and omits the URL. */
export function databaseUrlProblem(url: string, name: string): string | undefined {
  if (/^sqlite:\w+:\/\//i.test(url)) return `${name} has two schemes; keep one`
  if (/^sqlite:(\/\/|.*:memory:)/.test(url)) return `${name}: ${SPELLINGS}`
  if (/^sqlite:.+/.test(url)) return undefined
  if (!isPostgresUrl(url)) return `${name} must be like sqlite:sealwax.db or postgres://user@host/database`
  try {
    parsePostgresUrl(url, name)
    return undefined
  } catch (error) {
    if (error instanceof AuthError) return error.detail
    throw error
  }
}

/** After two slashes, the name would be a host or a directory at the root. */
const SPELLINGS =
  'write sqlite:sealwax.db for a file in the working directory, or sqlite:/var/lib/sealwax/sealwax.db for an absolute path; there is no sqlite:// and no :memory:'

export function isPostgresUrl(url: string): boolean {
  return /^\s*postgres(ql)?:\/\/.+/i.test(url)
}

/**
 * For messages with user input. A password may contain any character, so all after the scheme is
 * removed.
 */
export function withoutDatabaseUrls(text: string): string {
  return text.replace(/(postgres(?:ql)?:\/\/).*/gis, '$1…')
}
