import { describeValue } from '@sealwax/jwt/internal'
import { AuthError, type AuthErrorCode } from '../errors.ts'

/**
 * Checks that a value is an options object without unknown members.
 *
 * @param caller the function that was called
 * @param name the parameter or option whose value is the object
 * @throws {AuthError} `code`
 */
export function checkMembers<T extends object>(
  caller: string,
  given: T,
  known: readonly string[],
  { code = 'config_invalid', name = 'options' }: { code?: AuthErrorCode; name?: string } = {},
): T {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const detail = wrongOption(caller, name, `be an object with ${listed(known)}`, describeValue(given))
    throw new AuthError(code, detail)
  }
  const unknown = Object.keys(given).find((member) => !known.includes(member))
  if (unknown === undefined) return given
  throw new AuthError(code, unknownOption(caller, unknown, `write ${listed(known, 'or')}`))
}

/** The message about an option with a value that is not accepted. */
export function wrongOption(caller: string, name: string, allowed: string, got: string): string {
  return `${caller}: ${name} must ${allowed} (got ${got})`
}

/** The message about an option that does not exist. */
export function unknownOption(caller: string, name: string, hint?: string): string {
  // The name may come from a request body and be of any length.
  const shown = JSON.stringify(name.slice(0, 64))
  return `${caller}: there is no option ${shown}${hint === undefined ? '' : `; ${hint}`}`
}

function listed(names: readonly string[], last = 'and'): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`
}
