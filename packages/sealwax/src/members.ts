import { AuthError, type AuthErrorCode } from './errors.ts'

/** Refuses what is not an options object, and members that it does not know. `of` is what takes the object: a function, or a call of the auth server. */
export function checkMembers<T extends object>(
  of: string,
  given: T,
  known: readonly string[],
  code: AuthErrorCode = 'config_invalid',
): T {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new AuthError(code, `${of} needs an object with the options ${listed(known)}`)
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown === undefined) return given
  // It may come from a request body.
  const name = JSON.stringify(unknown.slice(0, 64))
  throw new AuthError(code, `${of} has no option ${name}: write ${listed(known, 'or')}`)
}

function listed(names: readonly string[], last = 'and'): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`
}
