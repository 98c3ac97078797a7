import type { Kysely, Selectable } from 'kysely'
import type { Tables } from '../core/tables.ts'
import { prepared, type Slots } from '../store/prepared.ts'
import type { ClientRow, ClientSecretRow, Clients } from './contract.ts'
import type {} from './tables.ts'

/** The queries of API clients. */
export function clients(db: Kysely<Tables>, { lockRows }: { lockRows: boolean }): Clients {
  return {
    async insert(client) {
      await db
        .insertInto('clients')
        .values({ ...client, scopes: JSON.stringify(client.scopes) })
        .execute()
    },
    async byId(id) {
      return toRow((await byIdStatement(db, { id })).rows[0])
    },
    async withSecrets(id) {
      const { rows } = await withSecretsStatement(db, { id })
      const [first] = rows
      if (first === undefined) return undefined
      const { secret_id: _, hash: __, secret_created_at: ___, expires_at: ____, ...client } = first
      return { ...(toRow(client) as ClientRow), secrets: rows.flatMap(toSecrets) }
    },
    async lock(id) {
      const query = db.selectFrom('clients').selectAll().where('id', '=', id)
      return toRow(await (lockRows ? query.forUpdate() : query).executeTakeFirst())
    },
    async list({ after, limit }) {
      let query = db.selectFrom('clients').selectAll().orderBy('id').limit(limit)
      if (after !== undefined) query = query.where('id', '>', after)
      return (await query.execute()).map((found) => toRow(found) as ClientRow)
    },
    async change(id, { scopes, ...change }) {
      const stored = { ...change, ...(scopes !== undefined && { scopes: JSON.stringify(scopes) }) }
      await db.updateTable('clients').set(stored).where('id', '=', id).execute()
    },
    async delete(id) {
      await db.deleteFrom('client_secrets').where('client_id', '=', id).execute()
      const result = await db.deleteFrom('clients').where('id', '=', id).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
    async secretsOf(ids) {
      if (ids.length === 0) return []
      return db.selectFrom('client_secrets').selectAll().where('client_id', 'in', ids).execute()
    },
    async insertSecret(secret) {
      await db.insertInto('client_secrets').values(secret).execute()
    },
    async expireSecret(id, at) {
      await db.updateTable('client_secrets').set({ expires_at: at }).where('id', '=', id).execute()
    },
    async deleteSecret(id) {
      await db.deleteFrom('client_secrets').where('id', '=', id).execute()
    },
  }
}

const byIdStatement = prepared((db, value: Slots<{ id: string }>) =>
  db.selectFrom('clients').selectAll().where('id', '=', value('id')),
)
const withSecretsStatement = prepared((db, value: Slots<{ id: string }>) =>
  db
    .selectFrom('clients')
    .leftJoin('client_secrets', 'client_secrets.client_id', 'clients.id')
    .selectAll('clients')
    .select([
      'client_secrets.id as secret_id',
      'client_secrets.hash',
      'client_secrets.created_at as secret_created_at',
      'client_secrets.expires_at',
    ])
    .where('clients.id', '=', value('id')),
)

interface Joined {
  readonly id: string
  readonly secret_id: string | null
  readonly hash: Uint8Array | null
  readonly secret_created_at: number | null
  readonly expires_at: number | null
}

function toSecrets({ id, secret_id, hash, secret_created_at, expires_at }: Joined): ClientSecretRow[] {
  if (secret_id === null || hash === null || secret_created_at === null) return []
  return [{ id: secret_id, client_id: id, hash, created_at: secret_created_at, expires_at }]
}

function toRow(found: Selectable<Tables['clients']> | undefined): ClientRow | undefined {
  return found === undefined ? undefined : { ...found, scopes: JSON.parse(found.scopes) }
}
