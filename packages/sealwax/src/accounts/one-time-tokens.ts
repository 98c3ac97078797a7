import { createHash, timingSafeEqual } from 'node:crypto'
import { audit } from '../core/audit.ts'
import type { Context, WrappedValues } from '../core/context.ts'
import { purgeInPages } from '../core/purge.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { commit, type Unit } from '../core/unit-of-work.ts'
import { AuthError } from '../errors.ts'
import { throttle } from '../throttling/throttle.ts'
import { normaliseEmail } from './email-addresses.ts'
import type { OneTimeTokenRow, Purpose } from './one-time-tokens-contract.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** How long tokens are valid, and which of them also exist as a code of six digits. */
const KINDS: Readonly<Record<Purpose, { readonly life: number; readonly code: boolean }>> = {
  register: { life: 30 * MINUTE, code: true },
  'verify-email': { life: 30 * MINUTE, code: true },
  'reset-password': { life: 30 * MINUTE, code: true },
  'change-email': { life: 30 * MINUTE, code: true },
  'undo-email-change': { life: 72 * HOUR, code: false },
  'not-me': { life: 72 * HOUR, code: false },
  invite: { life: 7 * 24 * HOUR, code: false },
}

/** How often a code may be tried. After that, only the link works. */
const MOST_TRIES = 5

/** Secret scanners recognise the prefix. */
const PREFIX = 'swo_'

/** What a new token is for. */
export interface NewToken {
  readonly purpose: Purpose
  /** Whose token it is. A new token replaces the earlier one of the same purpose and holder. */
  readonly holder: string
  /** The normalised address to which it is sent. */
  readonly email: string
  readonly data?: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970. Default: the life of its purpose from now. */
  readonly expiresAt?: number
}

/** A token as it is sent. Only its hash is stored. */
export interface IssuedToken {
  readonly token: string
  /** Six digits, for purposes that have a code. */
  readonly code: string | undefined
  readonly expiresAt: number
}

/** What a client presents: the token of a link, or the code and the address it was sent to. */
export type Presented = { readonly token: string } | { readonly email: string; readonly code: string }

/** Issues a token in place of the earlier one of its purpose and holder. */
export async function issueToken(context: Context, unit: Unit, given: NewToken): Promise<IssuedToken> {
  const code = KINDS[given.purpose].code ? randomCode(context) : undefined
  return { ...(await putToken(context, unit, given, code)), code }
}

/**
 * Stores what a token is for until its mail is sent, and `issueToken` replaces it. Nobody knows the
 * token, and it has no code: guesses have nothing to hit while the limits of mails hold it back.
 */
export async function reserveToken(context: Context, unit: Unit, given: NewToken): Promise<{ expiresAt: number }> {
  return putToken(context, unit, given, undefined)
}

async function putToken(
  context: Context,
  unit: Unit,
  { purpose, holder, email, data = {}, ...given }: NewToken,
  code: string | undefined,
): Promise<{ token: string; expiresAt: number }> {
  const token = PREFIX + context.randomBytes(32).toString('base64url')
  const hash = hashToken(token)
  const now = context.now()
  const expiresAt = given.expiresAt ?? now + KINDS[purpose].life
  await unit.oneTimeTokens.put({
    ...{ hash, purpose, holder, email, data, code_tries: 0, created_at: now, expires_at: expiresAt },
    code: code === undefined ? null : context.secrets.wrap(Buffer.from(code), codePlace(hash)),
  })
  return { token, expiresAt }
}

/**
 * Finds the token that a client presents. It is used up by `takeToken`, in the transaction of its
 * effect.
 *
 * @throws {AuthError} `one_time_token_invalid` when it is unknown, expired, used or for another
 * purpose, and when the code is wrong or was tried too often; `too_many_attempts` for codes
 */
export async function findToken(
  context: Context,
  presented: Presented,
  purposes: readonly Purpose[],
  origin: RequestOrigin = {},
): Promise<OneTimeTokenRow> {
  const row =
    'token' in presented
      ? await context.store.committed.oneTimeTokens.byHash(hashToken(presented.token), context.now())
      : await findByCode(context, presented, purposes, origin)
  if (row === undefined || !purposes.includes(row.purpose)) throw invalidToken()
  return row
}

/**
 * Uses up a token.
 *
 * @throws {AuthError} `one_time_token_invalid` when it was used meanwhile
 */
export async function takeToken(context: Context, unit: Unit, { hash }: OneTimeTokenRow): Promise<void> {
  if (!(await unit.oneTimeTokens.take(hash, context.now()))) throw invalidToken()
}

/**
 * Voids what a user, or a thief, has requested and not completed: a change of address and a reset.
 */
export async function voidPending(unit: Unit, subject: string): Promise<void> {
  await unit.oneTimeTokens.delete('change-email', subject)
  await unit.oneTimeTokens.delete('reset-password', subject)
}

/** The error for every token and code that cannot be used, so that it does not say which exist. */
export function invalidToken(): AuthError {
  return new AuthError(
    'one_time_token_invalid',
    'This link or code is wrong, has expired, or was used already. Request a new one',
  )
}

/**
 * Each try is counted before its code is compared, so that parallel tries are counted, too. The
 * same is written when there is no such token: the time must not tell.
 */
async function findByCode(
  context: Context,
  { email, code }: { readonly email: string; readonly code: string },
  purposes: readonly Purpose[],
  origin: RequestOrigin,
): Promise<OneTimeTokenRow | undefined> {
  let address: string | undefined
  try {
    address = normaliseEmail(email)
  } catch {
    // Treated as an address without tokens.
  }
  const attempt = await throttle(context, { action: 'code', account: address ?? email, origin })
  const found = await tryCode(context, address, code, purposes, origin)
  if (found === undefined) await attempt.failed()
  else await commit(context, (unit) => attempt.succeeded(unit))
  return found
}

/** Counts and compares in one transaction. */
function tryCode(
  context: Context,
  address: string | undefined,
  code: string,
  purposes: readonly Purpose[],
  origin: RequestOrigin,
): Promise<OneTimeTokenRow | undefined> {
  return commit(context, async (unit) => {
    const now = context.now()
    const sent = address === undefined ? [] : await unit.oneTimeTokens.byEmail(address, purposes, now)
    const rows = withoutAmbiguous(sent)
    // As many statements as with a token.
    if (rows.length === 0) await unit.oneTimeTokens.countTry('', MOST_TRIES)
    for (const row of rows) {
      if (row.code === null || !(await unit.oneTimeTokens.countTry(row.hash, MOST_TRIES))) continue
      const expected = context.secrets.unwrap(row.code, codePlace(row.hash))
      const given = Buffer.from(code)
      if (given.length === expected.length && timingSafeEqual(given, expected)) return row
    }
    await audit(unit, { type: 'user.code_failed', time: now, ...origin })
    return undefined
  })
}

/**
 * Leaves out the codes of sign-ups if there are several for one address: the owner may type the
 * code of the sign-up of a stranger into their own app. The links still work.
 */
function withoutAmbiguous(rows: readonly OneTimeTokenRow[]): readonly OneTimeTokenRow[] {
  const withCode = rows.filter(({ code }) => code !== null)
  const isSignUp = ({ purpose }: OneTimeTokenRow) => purpose === 'register'
  return withCode.filter(isSignUp).length > 1 ? withCode.filter((row) => !isSignUp(row)) : withCode
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Each code is equally likely. */
function randomCode(context: Context): string {
  for (;;) {
    const number = context.randomBytes(4).readUInt32BE()
    if (number < 4_294_000_000) return String(number % 1_000_000).padStart(6, '0')
  }
}

/** The place of a wrapped code, see `WrappedValue`. */
function codePlace(hash: string): string {
  return `one_time_tokens\0${hash}\0code`
}

/** The codes, for the rotation and the loss of a server secret. */
export const wrappedCodes: WrappedValues = {
  noun: 'codes',
  heads: ({ store }) => store.committed.oneTimeTokens.codeHeads(),
  async wrappedBy({ store }, head, limit) {
    const page = await store.committed.oneTimeTokens.wrappedBy(head, limit)
    return page.map(({ hash, code }) => ({ id: hash, value: code, place: codePlace(hash) }))
  },
  rewrap: (unit, { id, value }, to) => unit.oneTimeTokens.rewrap(id, value, to),
  // The links still work.
  async forget(_context, unit, values) {
    for (const { id, value } of values) await unit.oneTimeTokens.rewrap(id, value, null)
    return values.length
  },
}

/** Deletes the tokens that have expired. */
export async function purgeTokens({ store, now }: Context, signal: AbortSignal): Promise<void> {
  await purgeInPages(signal, (limit) => store.transaction((facts) => facts.oneTimeTokens.purge(now(), limit)))
}
