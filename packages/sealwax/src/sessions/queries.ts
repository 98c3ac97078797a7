import { type Kysely, type Selectable, sql } from 'kysely'
import { type Tables, WRAPPER_BYTES } from '../core/tables.ts'
import { prepared, type Slots } from '../store/prepared.ts'
import type { SessionAdvance, SessionRow, SessionState, Sessions, SessionWithUser } from './contract.ts'
import { excessStatement, readLatest, subjectUnended } from './subject-queries.ts'
import type {} from './tables.ts'

type Stored = Selectable<Tables['sessions']>
type Read = { id: string; read_generation: number; read_rotated_at: number; read_presented_at: number }
type Advance = Omit<SessionAdvance, 'forks' | 'earlier_use'> & Pick<Stored, 'forks' | 'earlier_use'> & Read

/** The head of a wrapped key, which is indexed. */
const head = sql<Uint8Array>`substr(hmac_key, 1, ${sql.lit(WRAPPER_BYTES)})`

/** Replaces NULL in comparisons, since NULL equals nothing in SQL. */
const NEVER = -1

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory, each part of it short
export function sessions(db: Kysely<Tables>): Sessions {
  return {
    async insert(session) {
      await insertStatement(db, toStored(session))
    },
    async byId(id) {
      const found = (await byIdStatement(db, { id })).rows[0]
      if (found === undefined) return undefined
      const user =
        found.user_id === null
          ? undefined
          : {
              roles: JSON.parse(found.user_roles ?? '[]'),
              ver: found.user_ver ?? 0,
              disabled: found.user_disabled_at !== null,
            }
      return { ...toRow(found), user } satisfies SessionWithUser
    },
    async list(subject, now, { after, limit } = {}) {
      let query = db
        .selectFrom('sessions')
        .selectAll()
        .where(subjectUnended, '=', subject)
        .where('ended_at', 'is', null)
        .where('idle_expires_at', '>', now)
        .where('absolute_expires_at', '>', now)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
      if (after !== undefined) {
        const { id, created_at } = after
        query = query
          // Implied by the next condition, but lets the database seek in the index.
          .where('created_at', '<=', created_at)
          .where((is) => is.or([is('created_at', '<', created_at), is('id', '<', id)]))
      }
      if (limit !== undefined) query = query.limit(limit)
      return (await query.execute()).map(toRow)
    },
    async advance(id, read: SessionState, next) {
      const { changed } = await advanceStatement(db, {
        ...next,
        ...readState(id, read),
        forks: json(next.forks),
        earlier_use: json(next.earlier_use),
      })
      return changed > 0
    },
    async end(id, at, reason) {
      return db
        .updateTable('sessions')
        .set({ ended_at: at, end_reason: reason })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .returning(['id', 'access_expires_at'])
        .executeTakeFirst()
    },
    async endAll(subject, at, reason, except) {
      const latest = await readLatest(db, subject, except)
      const { numUpdatedRows } = await db
        .updateTable('sessions')
        .set({ ended_at: at, end_reason: reason })
        .where(subjectUnended, '=', subject)
        .where('ended_at', 'is', null)
        .where('id', '!=', except ?? '')
        .executeTakeFirst()
      return { ...latest, count: Number(numUpdatedRows) }
    },
    latest: (subject) => readLatest(db, subject),
    async excess(subject, { except, keep, now, limit }) {
      return (await excessStatement(db, { subject, except, now, keep, limit, read: keep + limit })).rows
    },
    async countIssued({ since, before, now }) {
      const { sessions, subjects } = await db
        .selectFrom('sessions')
        .select((eb) => [eb.fn.countAll().as('sessions'), eb.fn.count('subject').distinct().as('subjects')])
        .where('ended_at', 'is', null)
        .where('idle_expires_at', '>', now)
        .where('absolute_expires_at', '>', now)
        .where('access_expires_at', '>', since)
        .where('created_at', '<', before)
        .executeTakeFirstOrThrow()
      return { sessions: Number(sessions), subjects: Number(subjects) }
    },
    async endIssued({ since, before, now }, { after, limit, reason }) {
      const page = await db
        .selectFrom('sessions')
        .select('id')
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      const last = page.at(-1)?.id
      if (last === undefined) return { ended: [], last }
      const ended = await db
        .updateTable('sessions')
        .set({ ended_at: now, end_reason: reason })
        .where('id', '>', after)
        .where('id', '<=', last)
        .where('ended_at', 'is', null)
        .where('access_expires_at', '>', since)
        .where('created_at', '<', before)
        .returning(['id', 'access_expires_at'])
        .execute()
      return { ended, last }
    },
    async wrappers() {
      const heads: Uint8Array[] = []
      // One index lookup per head, however many sessions there are.
      for (;;) {
        const last = heads.at(-1)
        let query = db.selectFrom('sessions').select(head.as('head')).orderBy(head).limit(1)
        if (last !== undefined) query = query.where(head, '>', last)
        const next = (await query.execute())[0]?.head
        if (next === undefined) return heads
        heads.push(next)
      }
    },
    async wrappedBy(own, limit) {
      return db.selectFrom('sessions').select(['id', 'hmac_key']).where(head, '=', own).limit(limit).execute()
    },
    async rewrap(id, from, to) {
      const { numUpdatedRows } = await db
        .updateTable('sessions')
        .set({ hmac_key: to })
        .where('id', '=', id)
        .where('hmac_key', '=', from)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async purge(before, limit) {
      let purged = 0
      // One column at a time, in the order of its index, so that every page takes the same time.
      for (const column of ['ended_at', 'absolute_expires_at'] as const) {
        const past = db.selectFrom('sessions').select('id').where(column, '<', before)
        const { numDeletedRows } = await db
          .deleteFrom('sessions')
          .where('id', 'in', past.orderBy(column).limit(limit - purged))
          .executeTakeFirst()
        purged += Number(numDeletedRows)
      }
      return purged
    },
  }
}

const COLUMNS = [
  'id',
  'subject',
  'client_id',
  'generation',
  'parent_generation',
  'rotated_at',
  'presented_at',
  'forks',
  'device',
  'hmac_key',
  'scope',
  'roles',
  'claims',
  'amr',
  'auth_time',
  ...(['created_at', 'created_ip', 'created_user_agent'] as const),
  ...(['seen_at', 'seen_ip', 'seen_user_agent'] as const),
  'earlier_use',
  'idle_expires_at',
  'absolute_expires_at',
  'access_expires_at',
  'ended_at',
  'end_reason',
  'remember',
  'ver',
  'access_ttl',
  'jkt',
] as const satisfies (keyof Stored)[]

const insertStatement = prepared((db, value: Slots<Stored>) => {
  const names = COLUMNS.map((name) => [name, value(name)])
  return db.insertInto('sessions').values(Object.fromEntries(names) as Stored)
})
const byIdStatement = prepared((db, value: Slots<{ id: string }>) =>
  db
    .selectFrom('sessions')
    .leftJoin('users', 'users.id', 'sessions.subject')
    .select(COLUMNS.map((column) => `sessions.${column}` as const))
    .select([
      'users.id as user_id',
      'users.roles as user_roles',
      'users.ver as user_ver',
      'users.disabled_at as user_disabled_at',
    ])
    .where('sessions.id', '=', value('id')),
)
const advanceStatement = prepared((db, value: Slots<Advance>) =>
  db
    .updateTable('sessions')
    .set({
      generation: value('generation'),
      parent_generation: value('parent_generation'),
      rotated_at: value('rotated_at'),
      presented_at: value('presented_at'),
      forks: value('forks'),
      seen_at: value('seen_at'),
      seen_ip: value('seen_ip'),
      seen_user_agent: value('seen_user_agent'),
      earlier_use: value('earlier_use'),
      idle_expires_at: value('idle_expires_at'),
      access_expires_at: value('access_expires_at'),
    })
    .where('id', '=', value('id'))
    .where('ended_at', 'is', null)
    .where('generation', '=', value('read_generation'))
    .where((eb) => eb(eb.fn.coalesce('rotated_at', eb.lit(NEVER)), '=', value('read_rotated_at')))
    .where((eb) => eb(eb.fn.coalesce('presented_at', eb.lit(NEVER)), '=', value('read_presented_at'))),
)
function readState(id: string, read: SessionState): Read {
  return {
    id,
    read_generation: read.generation,
    read_rotated_at: read.rotated_at ?? NEVER,
    read_presented_at: read.presented_at ?? NEVER,
  }
}

function json(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value)
}

function parsed(text: string | null) {
  return text === null ? null : JSON.parse(text)
}

function toStored(session: SessionRow): Stored {
  return {
    ...session,
    remember: session.remember ? 1 : 0,
    forks: json(session.forks),
    earlier_use: json(session.earlier_use),
    roles: json(session.roles),
    claims: json(session.claims),
    amr: JSON.stringify(session.amr),
  }
}

/**
 * Copies each column: spreading the object of the driver takes longer than reading it from the
 * database.
 */
function toRow(found: Stored): SessionRow {
  return {
    id: found.id,
    subject: found.subject,
    client_id: found.client_id,
    generation: found.generation,
    parent_generation: found.parent_generation,
    rotated_at: found.rotated_at,
    presented_at: found.presented_at,
    forks: parsed(found.forks),
    device: found.device,
    hmac_key: found.hmac_key,
    scope: found.scope,
    roles: parsed(found.roles),
    claims: parsed(found.claims),
    amr: JSON.parse(found.amr),
    auth_time: found.auth_time,
    created_at: found.created_at,
    created_ip: found.created_ip,
    created_user_agent: found.created_user_agent,
    seen_at: found.seen_at,
    seen_ip: found.seen_ip,
    seen_user_agent: found.seen_user_agent,
    earlier_use: parsed(found.earlier_use),
    idle_expires_at: found.idle_expires_at,
    absolute_expires_at: found.absolute_expires_at,
    access_expires_at: found.access_expires_at,
    ended_at: found.ended_at,
    end_reason: found.end_reason,
    remember: found.remember === 1,
    ver: found.ver,
    access_ttl: found.access_ttl,
    jkt: found.jkt,
  }
}
