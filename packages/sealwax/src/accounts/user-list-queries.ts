import { type ExpressionBuilder, type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { Tables } from '../core/tables.ts'
import type { UserFilter, UserLists } from './contract.ts'
import { toNameKey, toRow } from './queries.ts'
import type {} from './tables.ts'

type Found = Selectable<Tables['users']>

/** The queries that list users. Each reads an index in its order. */
export function userLists(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): UserLists {
  // The index of the unique constraint has the collation of the database, in which a prefix is not
  // a range.
  const bytewise = lockRows ? sql`collate "C"` : sql``
  const keys: Keys = { email: sql<string>`(users.email ${bytewise})`, name: sql<string>`users.name_key` }
  // Expressions that no index has, so that the few users of the filter are read instead.
  const unindexed: Keys = {
    email: sql<string>`((users.email || '') ${bytewise})`,
    name: sql<string>`((users.name_key || '') ${bytewise})`,
  }
  return {
    async list({ after, limit, ...filter }) {
      const found = walksRoles(filter)
        ? await byRole(db, filter, { after, limit })
        : await byId(db, filter, { after, limit })
      return found.map((row) => toRow(row))
    },
    async listByEmail(prefix, { after, limit, ...filter }) {
      const [from, to] = rangeOf(prefix)
      const few = await isFew(db, filter)
      const { email } = few ? unindexed : keys
      const found = await db
        .selectFrom('users')
        .selectAll()
        .where(email, '>=', from)
        .where(email, '<', to)
        .$if(after !== undefined, (query) => query.where(email, '>', after as string))
        .where((eb) => eb.and(conditions(eb, filter, few)))
        .orderBy(email)
        .limit(limit)
        .execute()
      return found.map((row) => toRow(row))
    },
    async listByName(prefix, { after, limit, ...filter }) {
      const [from, to] = rangeOf(toNameKey(prefix) ?? '')
      const [emailFrom, emailTo] = rangeOf(prefix)
      const few = await isFew(db, filter)
      const { email, name } = few ? unindexed : keys
      const found = await db
        .selectFrom('users')
        .selectAll()
        .where(name, '>=', from)
        .where(name, '<', to)
        .$if(after !== undefined, (query) =>
          query.where(sql<boolean>`(${name}, users.id) > (${toNameKey(after?.name ?? '')}, ${after?.id})`),
        )
        .where((eb) => eb.or([eb(email, '<', emailFrom), eb(email, '>=', emailTo)]))
        .where((eb) => eb.and(conditions(eb, filter, few)))
        .orderBy(name)
        .orderBy('id')
        .limit(limit)
        .execute()
      return found.map((row) => toRow(row))
    },
  }
}

/** What users are ordered by. */
interface Keys {
  readonly email: RawBuilder<string>
  readonly name: RawBuilder<string>
}

/** Up to this many users are read one by one. */
const FEW = 2000

/** Whether so few users are disabled, or have the role, that reading them all is fast. */
async function isFew(db: Kysely<Tables>, { role, disabled }: UserFilter): Promise<boolean> {
  if (disabled === true) {
    const users = db.selectFrom('users').select('id').where('disabled_at', 'is not', null)
    if ((await users.limit(1).offset(FEW).execute()).length === 0) return true
  }
  if (role === undefined) return false
  const users = db.selectFrom('user_roles').select('user_id').where('role', '=', role)
  return (await users.limit(1).offset(FEW).execute()).length === 0
}

interface Page {
  readonly after: string | undefined
  readonly limit: number
}

/**
 * Whether to read the users of the role in order. Disabled users are few: they are read from their
 * own index, and the role of each is checked.
 */
function walksRoles({ role, disabled }: UserFilter): boolean {
  return role !== undefined && disabled !== true
}

async function byRole(
  db: Kysely<Tables>,
  { role = '', ...filter }: UserFilter,
  { after, limit }: Page,
): Promise<Found[]> {
  return db
    .selectFrom('user_roles')
    .innerJoin('users', 'users.id', 'user_roles.user_id')
    .selectAll('users')
    .where('user_roles.role', '=', role)
    .$if(after !== undefined, (query) => query.where('user_roles.user_id', '>', after as string))
    .where((eb) => eb.and(conditions(eb, filter)))
    .orderBy('user_roles.user_id')
    .limit(limit)
    .execute()
}

async function byId(db: Kysely<Tables>, filter: UserFilter, { after, limit }: Page): Promise<Found[]> {
  return db
    .selectFrom('users')
    .selectAll()
    .$if(after !== undefined, (query) => query.where('id', '>', after as string))
    .where((eb) => eb.and(conditions(eb, filter)))
    .orderBy('id')
    .limit(limit)
    .execute()
}

/**
 * The conditions of a filter.
 *
 * @param few whether to read the users of the role first
 */
function conditions(eb: ExpressionBuilder<Tables, 'users'>, { role, disabled, verified }: UserFilter, few = false) {
  const isNull = (no: boolean) => (no ? 'is' : 'is not')
  return [
    ...(disabled === undefined ? [] : [eb('users.disabled_at', isNull(!disabled), null)]),
    ...(verified === undefined ? [] : [eb('users.email_verified_at', isNull(!verified), null)]),
    ...(role === undefined ? [] : [few ? eb('users.id', 'in', idsOfRole(eb, role)) : eb.exists(ofRole(eb, role))]),
  ]
}

function ofRole(eb: ExpressionBuilder<Tables, 'users'>, role: string) {
  return eb
    .selectFrom('user_roles')
    .select('user_roles.role')
    .where('user_roles.role', '=', role)
    .whereRef('user_roles.user_id', '=', 'users.id')
}

function idsOfRole(eb: ExpressionBuilder<Tables, 'users'>, role: string) {
  return eb.selectFrom('user_roles').select('user_roles.user_id').where('user_roles.role', '=', role)
}

/** The texts with this prefix: from the first (included) to the second. */
function rangeOf(prefix: string): [from: string, to: string] {
  return [prefix, `${prefix}\u{10ffff}`]
}
