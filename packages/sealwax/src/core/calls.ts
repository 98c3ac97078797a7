import { describeValue } from '@sealwax/jwt/internal'
import { AuthError } from '../errors.ts'
import { checkMembers, wrongOption } from './strict-options.ts'

/** What a member must be; optional with a question mark. `any`: the call itself checks it. */
type Kind = `${keyof typeof KINDS}${'' | '?'}`
type Members<T> = {
  readonly [K in keyof Required<T>]: Kind | (NonNullable<T[K]> extends Nested ? Members<NonNullable<T[K]>> : never)
}
interface Nested {
  readonly ip?: string | undefined
}
/**
 * A string is declared by its name, an object by its name and members. A question mark makes an
 * object optional. `null`: checked by the call itself.
 */
type Parameter<T> =
  NonNullable<T> extends string
    ? string
    : NonNullable<T> extends readonly unknown[] | Request | Iterable<unknown> | AsyncIterable<unknown>
      ? null
      : readonly [name: `${string}${undefined extends T ? '?' : ''}`, members: Members<NonNullable<T>>]
type Parameters<A extends readonly unknown[]> = { readonly [I in keyof A]-?: Parameter<A[I]> }
type Taken<F> = F extends (...given: infer A) => unknown ? Parameters<A> : never

const KINDS = {
  string: [(value: unknown) => typeof value === 'string', 'a string'],
  text: [(value: unknown) => value === null || typeof value === 'string', 'a string or null'],
  strings: [
    (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    'a list of strings',
  ],
  object: [(value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value), 'an object'],
  boolean: [(value: unknown) => typeof value === 'boolean', 'true or false'],
  integer: [Number.isInteger, 'a whole number'],
  any: [() => true, ''],
} as const

/** The parameter of calls that list something in pages. */
export const PAGE = ['page?', { after: 'string?', limit: 'integer?' }] as const
/** The members of a parameter that describes where a request came from. */
export const ORIGIN = { ip: 'string?', userAgent: 'string?' } as const

type AnyMembers = { readonly [name: string]: Kind | AnyMembers }
type AnyParameter = string | null | readonly [name: string, members: AnyMembers]

type Call = (...given: never[]) => Promise<unknown>
/** The parameters of each call of a group. */
export type CallTable<Calls> = { readonly [C in keyof Calls]: Taken<Calls[C]> }

/**
 * Wraps the calls of a group so that they check their arguments first: they reject with
 * `validation_failed` and a message that names the call and the argument.
 */
export function checkedCalls<Calls extends { readonly [C in keyof Calls]: Call }>(
  group: string,
  calls: Calls,
  parameters: CallTable<Calls>,
): Calls {
  const table = parameters as Readonly<Record<string, readonly AnyParameter[]>>
  const checked = Object.entries<Call>(calls).map(([name, call]) => {
    const expected = table[name] ?? []
    return [
      name,
      async (...given: unknown[]) => {
        for (const [i, parameter] of expected.entries()) checkArgument(`${group}.${name}`, parameter, given[i])
        return call(...(given as never[]))
      },
    ]
  })
  return Object.fromEntries(checked) as Calls
}

function checkArgument(call: string, parameter: AnyParameter, given: unknown): void {
  if (parameter === null) return
  if (typeof parameter === 'string') {
    if (typeof given !== 'string') throw wrongArgument(call, parameter, 'a string', given)
    return
  }
  const [name, members] = parameter
  if (given !== undefined || !name.endsWith('?')) checkObject(call, name.replace('?', ''), members, given)
}

function checkObject(call: string, name: string, members: AnyMembers, given: unknown): void {
  const known = Object.keys(members)
  const object = checkMembers(call, given as Record<string, unknown>, known, { code: 'validation_failed', name })
  for (const [key, member] of Object.entries(members)) {
    const value = object[key]
    if (typeof member === 'object') {
      if (value !== undefined) checkObject(call, key, member, value)
      continue
    }
    const [isValid, allowed] = KINDS[member.replace('?', '') as keyof typeof KINDS]
    if (value === undefined && member.endsWith('?')) continue
    if (!isValid(value)) throw wrongArgument(call, key, allowed, value)
  }
}

function wrongArgument(call: string, name: string, allowed: string, given: unknown): AuthError {
  return new AuthError('validation_failed', wrongOption(call, name, `be ${allowed}`, describeValue(given)))
}
