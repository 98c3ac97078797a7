import type { AuthServer } from './auth-server.ts'
import { AuthError } from './errors.ts'
import { checkMembers } from './members.ts'

/** The parts of an auth server that an application calls. */
type Group = 'users' | 'sessions' | 'keys' | 'clients' | 'audit'

/** What a member must be; with a question mark it may be left out. `any`: what stands behind the call checks it. */
type Kind = `${keyof typeof KINDS}${'' | '?'}`
type Members<T> = {
  readonly [K in keyof Required<T>]: Kind | (NonNullable<T[K]> extends Nested ? Members<NonNullable<T[K]>> : never)
}
interface Nested {
  readonly ip?: string | undefined
}
/** A string by its name; an object by its members, the name with a question mark when it may be left out; `null`: what stands behind the call checks it. */
type Parameter<T> =
  NonNullable<T> extends string
    ? string
    : NonNullable<T> extends readonly unknown[]
      ? null
      : readonly [name: `${string}${undefined extends T ? '?' : ''}`, members: Members<NonNullable<T>>]
type Parameters<A extends readonly unknown[]> = { readonly [I in keyof A]-?: Parameter<A[I]> }
type Taken<F> = F extends (...given: infer A) => unknown ? Parameters<A> : never

const KINDS = {
  string: [(value: unknown) => typeof value === 'string', 'a string'],
  strings: [
    (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    'a list of strings',
  ],
  object: [(value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value), 'an object'],
  boolean: [(value: unknown) => typeof value === 'boolean', 'true or false'],
  integer: [Number.isInteger, 'a whole number'],
  any: [() => true, ''],
} as const

const PAGE = ['page?', { after: 'string?', limit: 'integer?' }] as const
const CLIENT = { ip: 'string?', userAgent: 'string?' } as const

/** What each call takes. */
const CALLS: { readonly [G in Group]: { readonly [C in keyof AuthServer[G]]: Taken<AuthServer[G][C]> } } = {
  users: {
    create: [['user', { email: 'string', password: 'string', id: 'string?', roles: 'strings?' }]],
    get: ['id'],
    find: ['email'],
    list: [PAGE],
    update: ['id', ['change', { email: 'string?', password: 'string?' }]],
    setRoles: ['id', null],
    disable: ['id'],
    enable: ['id'],
    delete: ['id'],
  },
  sessions: {
    create: [
      [
        'session',
        {
          subject: 'any',
          roles: 'strings?',
          scope: 'string?',
          claims: 'object?',
          amr: 'strings?',
          remember: 'boolean?',
          client: { ...CLIENT, by: 'string?' },
          device: 'any?',
        },
      ],
    ],
    refresh: ['refreshToken', ['client?', { ...CLIENT, device: 'any?' }]],
    confirm: ['refreshToken', ['client?', CLIENT]],
    list: ['subject', PAGE],
    revoke: ['id'],
    revokeAll: ['subject', ['options?', { except: 'string?' }]],
  },
  keys: {
    list: [],
    rotate: [],
    revoke: ['kid', ['options?', { endSessions: 'boolean?', all: 'boolean?', dryRun: 'boolean?' }]],
  },
  clients: {
    create: [['client', { name: 'any', scopes: 'any?' }]],
    get: ['id'],
    list: [PAGE],
    update: ['id', ['change', { name: 'any?', scopes: 'any?' }]],
    rotate: ['id', ['options?', { overlap: 'any?' }]],
    disable: ['id'],
    enable: ['id'],
    delete: ['id'],
  },
  audit: { list: [['query?', { before: 'integer?', limit: 'integer?', subject: 'string?', type: 'string?' }]] },
}

type AnyMembers = { readonly [name: string]: Kind | AnyMembers }
type AnyParameter = string | null | readonly [name: string, members: AnyMembers]

/** The calls of a group; what they are given is checked first. They reject with `validation_failed` and a sentence that names the call and the option. */
export function checkedCalls<G extends Group>(group: G, calls: AuthServer[G]): AuthServer[G] {
  const table = CALLS[group] as Readonly<Record<string, readonly AnyParameter[]>>
  const checked = Object.entries(calls).map(([name, call]) => {
    const parameters = table[name] ?? []
    return [
      name,
      async (...given: unknown[]) => {
        for (const [i, parameter] of parameters.entries()) checkArgument(`${group}.${name}`, parameter, given[i])
        return call(...given)
      },
    ]
  })
  return Object.fromEntries(checked)
}

function checkArgument(call: string, parameter: AnyParameter, given: unknown): void {
  if (parameter === null) return
  if (typeof parameter === 'string') {
    if (typeof given !== 'string') throw invalid(`${call} needs ${parameter}, a string`)
    return
  }
  const [name, members] = parameter
  if (given !== undefined || !name.endsWith('?')) checkObject(call, members, given)
}

function checkObject(of: string, members: AnyMembers, given: unknown): void {
  const object = checkMembers(of, given as Record<string, unknown>, Object.keys(members), 'validation_failed')
  for (const [name, member] of Object.entries(members)) {
    const value = object[name]
    if (typeof member === 'object') {
      if (value !== undefined) checkObject(`${name} of ${of}`, member, value)
      continue
    }
    const [isRight, what] = KINDS[member.replace('?', '') as keyof typeof KINDS]
    if (value === undefined && member.endsWith('?')) continue
    if (value === undefined && what !== '') throw invalid(`${of} needs the option ${name}, ${what}`)
    if (!isRight(value)) throw invalid(`The option ${name} of ${of} must be ${what}`)
  }
}

function invalid(sentence: string): AuthError {
  return new AuthError('validation_failed', sentence)
}
