import { type Kysely, sql } from 'kysely'
import { SCHEMA } from '../../core/tables.ts'
import type { Dialect } from './dialect.ts'

/**
 * What administrators search users by: the name as a key, the address, roles, and whether the user
 * is disabled or verified. Triggers fill `user_roles`, so it is also right when older servers write
 * users. Older servers can run with it.
 */
export async function up(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { bytewise } = dialect
  await db.schema.alterTable('users').addColumn('name_key', sql`text collate ${bytewise}`).execute()
  const index = (name: string) => db.schema.createIndex(name).on('users')
  await index('users_name_key')
    .columns(['name_key', 'id'])
    .where('name_key' as never, 'is not', null)
    .execute()
  await index('users_email_prefix').expression(sql`(email collate ${bytewise})`).execute()
  await index('users_disabled')
    .column('id')
    .where('disabled_at' as never, 'is not', null)
    .execute()
  await index('users_verified')
    .column('id')
    .where('email_verified_at' as never, 'is not', null)
    .execute()
  await index('users_unverified')
    .column('id')
    .where('email_verified_at' as never, 'is', null)
    .execute()
  await db.schema
    .createTable('user_roles')
    .modifyEnd(dialect.end)
    .addColumn('role', sql`text collate ${bytewise}`, (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('user_roles_key', ['role', 'user_id'])
    .execute()
  for (const statement of ROLES[dialect.int64]) await sql.raw(statement).execute(db)
}

/** Fills `user_roles` and keeps it up to date. */
const ROLES: Readonly<Record<Dialect['int64'], readonly string[]>> = {
  integer: [
    `insert into user_roles select distinct entry.value, users.id from users, json_each(users.roles) entry`,
    `create trigger users_roles_inserted after insert on users begin
      insert into user_roles select distinct value, new.id from json_each(new.roles); end`,
    `create trigger users_roles_changed after update of roles on users when old.roles <> new.roles begin
      delete from user_roles where user_id = old.id and role in (select value from json_each(old.roles));
      insert into user_roles select distinct value, new.id from json_each(new.roles); end`,
    `create trigger users_roles_deleted after delete on users begin
      delete from user_roles where user_id = old.id and role in (select value from json_each(old.roles)); end`,
  ],
  // Runs as the owner of the schema: the role of an older server has no privileges for the new
  // table. Every name is qualified, so `search_path` does not matter.
  bigint: [
    `insert into ${SCHEMA}.user_roles select distinct entry, users.id
      from ${SCHEMA}.users, pg_catalog.jsonb_array_elements_text(users.roles::pg_catalog.jsonb) entry`,
    `create function ${SCHEMA}.store_user_roles() returns trigger language plpgsql
      security definer set search_path to pg_catalog as $$ begin
      if tg_op <> 'INSERT' then
        delete from ${SCHEMA}.user_roles where user_id = old.id
          and role = any (array(select pg_catalog.jsonb_array_elements_text(old.roles::pg_catalog.jsonb)));
      end if;
      if tg_op <> 'DELETE' then
        insert into ${SCHEMA}.user_roles
          select distinct entry, new.id from pg_catalog.jsonb_array_elements_text(new.roles::pg_catalog.jsonb) entry;
      end if;
      return null;
    end $$`,
    `create trigger users_roles after insert or update of roles or delete on ${SCHEMA}.users
      for each row execute function ${SCHEMA}.store_user_roles()`,
  ],
}
