import { auditAlone } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { commit, type Facts } from '../core/unit-of-work.ts'
import { AuthError, type AuthErrorCode } from '../errors.ts'
import type { UserRow } from './contract.ts'
import { addressTaken } from './email-addresses.ts'
import { checkImportUser, type ImportRow, type ImportUser, invalidRow } from './import-rows.ts'
import { prepareUser } from './users.ts'

/** The options of `auth.users.import`. */
export interface ImportOptions {
  /** Whether users count as verified whose row does not say so. Default false. */
  readonly verified?: boolean
  /** Whether only to check the rows, and to store nothing. Default false. */
  readonly dryRun?: boolean
  /** Called for each row that is refused. If it returns a promise, the import waits for it. */
  readonly onRefused?: (refusal: ImportRefusal) => void | Promise<void>
  /** Called after each transaction of up to 500 rows. If it returns a promise, the import waits. */
  readonly onProgress?: (counts: ImportCounts) => void | Promise<void>
}

/** A row that was refused. It contains nothing of the row. */
export interface ImportRefusal {
  /** The line where the row begins in the file; without a file, its number. The first is 1. */
  readonly line: number
  /** The code of the error. */
  readonly code: AuthErrorCode
  /** What is wrong. */
  readonly detail: string
}

/** How many rows there were. */
export interface ImportCounts {
  /** New users. */
  readonly created: number
  /** Rows of users who existed. */
  readonly unchanged: number
  /** Rows that were not stored. */
  readonly refused: number
}

/** Rows of one transaction. Servers that share the database wait for it, so it is short. */
const BATCH = 500

/** How often a batch is repeated when others create users with its addresses meanwhile. */
const MOST_ATTEMPTS = 5

/** The result of a row. */
type Verdict = 'created' | 'unchanged' | AuthError

/** A row that is complete, and the id that it gave. */
interface Candidate {
  readonly line: number
  readonly givenId: string | undefined
  readonly user: UserRow
}

/** The users that are known to exist. */
interface Known {
  readonly idOf: Map<string, string>
  readonly ids: Set<string>
  readonly reservedFor: Map<string, unknown>
}

/** Imports rows that the application gives, see `UsersApi.import`. */
export async function importGiven(
  context: Context,
  rows: Iterable<ImportUser> | AsyncIterable<ImportUser>,
  options?: ImportOptions,
): Promise<ImportCounts> {
  const isIterable =
    typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows)
  if (!isIterable) throw invalidRow('users.import: rows must be an iterable of objects')
  for (const name of ['onRefused', 'onProgress'] as const) {
    const given = options?.[name]
    if (given !== undefined && typeof given !== 'function') throw invalidRow(`users.import: ${name} must be a function`)
  }
  return importUsers(context, numbered(rows), options)
}

async function* numbered(rows: Iterable<unknown> | AsyncIterable<unknown>): AsyncIterable<ImportRow> {
  let line = 0
  for await (const given of rows) {
    line += 1
    const checked = await orRefusal(() => checkImportUser(given))
    yield checked instanceof AuthError ? { line, refusal: checked } : { line, user: checked }
  }
}

/**
 * Creates users with the hashes of their passwords, a batch in each transaction. Whoever exists is
 * left unchanged.
 *
 * @returns the counts, which one audit event contains, too
 */
export async function importUsers(
  context: Context,
  rows: AsyncIterable<ImportRow>,
  options: ImportOptions = {},
): Promise<ImportCounts> {
  const { dryRun = false, onRefused, onProgress } = options
  const counts = { created: 0, unchanged: 0, refused: 0 }
  const seen = dryRun ? nobody() : undefined
  const end = async (more: { interrupted?: true } = {}) => {
    const event = { type: 'users.imported', time: context.now(), data: { ...counts, ...more } } as const
    if (!dryRun) await auditAlone(context, event)
  }
  try {
    for await (const batch of batches(rows)) {
      for (const { line, verdict } of await importBatch(context, batch, options, seen)) {
        if (!(verdict instanceof AuthError)) counts[verdict] += 1
        else {
          counts.refused += 1
          await onRefused?.({ line, code: verdict.code, detail: verdict.detail })
        }
      }
      await onProgress?.({ ...counts })
    }
  } catch (error) {
    // What is stored stays. The first error is the reason, even if the event cannot be stored.
    if (counts.created > 0) await end({ interrupted: true }).catch(() => {})
    throw error
  }
  await end()
  return counts
}

async function* batches(rows: AsyncIterable<ImportRow>): AsyncIterable<ImportRow[]> {
  let batch: ImportRow[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

interface Judged {
  readonly line: number
  readonly verdict: Verdict
}

/** Returns what became of each row, in the order of the lines. */
async function importBatch(
  context: Context,
  batch: readonly ImportRow[],
  options: ImportOptions,
  seen: Known | undefined,
): Promise<Judged[]> {
  const candidates: Candidate[] = []
  const judged: Judged[] = []
  for (const row of batch) {
    const { line } = row
    const user = 'refusal' in row ? row.refusal : await orRefusal(() => prepare(context, row.user, options))
    if (user instanceof AuthError) judged.push({ line, verdict: user })
    else candidates.push({ line, givenId: 'user' in row ? row.user.id : undefined, user })
  }
  judged.push(...(await storeCandidates(context, candidates, seen)))
  return judged.toSorted((a, b) => a.line - b.line)
}

/** Returns the error instead of throwing it, if it is about the row. */
async function orRefusal<T>(check: () => T | Promise<T>): Promise<T | AuthError> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof AuthError && error.status < 500) return error
    throw error
  }
}

async function prepare(context: Context, given: ImportUser, { verified = false }: ImportOptions): Promise<UserRow> {
  const { createdAt, emailVerified = verified, ...options } = given
  const user = await prepareUser(context, { ...options, emailVerified })
  const created_at = createdAt?.getTime() ?? user.created_at
  if (created_at < 0 || created_at > user.created_at) {
    throw invalidRow('The time of creation must be between 1970 and now')
  }
  return { ...user, created_at }
}

/** With `seen`, nothing is stored. */
async function storeCandidates(
  context: Context,
  candidates: readonly Candidate[],
  seen: Known | undefined,
): Promise<Judged[]> {
  if (seen !== undefined) {
    await learn(context, context.store.committed, candidates, seen)
    return candidates.map((candidate) => ({ line: candidate.line, verdict: judge(candidate, seen) }))
  }
  const judged: Judged[] = []
  let left = candidates
  for (let attempt = 0; attempt < MOST_ATTEMPTS && left.length > 0; attempt += 1) {
    const { done, raced } = await commit(context, (unit) => storeFree(context, unit, left))
    judged.push(...done)
    left = raced
  }
  return [...judged, ...left.map(({ line }) => ({ line, verdict: addressTaken() }))]
}

/** Stores those who do not exist. `raced`: somebody else has created them at the same moment. */
async function storeFree(
  context: Context,
  facts: Facts,
  candidates: readonly Candidate[],
): Promise<{ done: Judged[]; raced: Candidate[] }> {
  const known = nobody()
  await learn(context, facts, candidates, known)
  const all = candidates.map((candidate) => ({ candidate, verdict: judge(candidate, known) }))
  const free = all.filter(({ verdict }) => verdict === 'created').map(({ candidate }) => candidate.user)
  const stored = new Set(free.length === 0 ? [] : await facts.userImports.insert(free))
  const isRaced = ({ candidate, verdict }: (typeof all)[number]) =>
    verdict === 'created' && !stored.has(candidate.user.id)
  return {
    done: all.filter((one) => !isRaced(one)).map(({ candidate, verdict }) => ({ line: candidate.line, verdict })),
    raced: all.filter(isRaced).map(({ candidate }) => candidate),
  }
}

function nobody(): Known {
  return { idOf: new Map(), ids: new Set(), reservedFor: new Map() }
}

/** Reads who has the ids and addresses of the candidates. */
async function learn(context: Context, facts: Facts, candidates: readonly Candidate[], known: Known): Promise<void> {
  if (candidates.length === 0) return
  const emails = candidates.map(({ user }) => user.email)
  const ids = candidates.map(({ user }) => user.id)
  for (const { id, email } of await facts.userImports.known(ids, emails)) add(known, { id, email })
  for (const { email, subject } of await facts.userImports.reserved(emails, context.now())) {
    known.reservedFor.set(email, subject)
  }
}

function add(known: Known, { id, email }: Pick<UserRow, 'id' | 'email'>): void {
  known.idOf.set(email, id)
  known.ids.add(id)
}

/** A later row for the same address is like a user who exists. */
function judge({ givenId, user }: Candidate, known: Known): Verdict {
  const owner = known.idOf.get(user.email)
  if (owner !== undefined) return givenId === undefined || givenId === owner ? 'unchanged' : addressTaken()
  if (known.ids.has(user.id)) return new AuthError('id_taken', 'This user id is taken')
  const returning = known.reservedFor.get(user.email)
  if (returning !== undefined && returning !== user.id) return addressTaken()
  add(known, user)
  return 'created'
}
