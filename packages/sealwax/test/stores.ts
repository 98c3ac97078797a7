import { join } from 'node:path'
import { after } from 'node:test'
import type { UserRow } from '../src/accounts/contract.ts'
import type { Store } from '../src/core/unit-of-work.ts'
import { features } from '../src/features.ts'
import type { ClientRow, ClientSecretRow } from '../src/oauth/contract.ts'
import type { SessionRow } from '../src/sessions/contract.ts'
import { postgresStore } from '../src/store/postgres/index.ts'
import { sqliteStore } from '../src/store/sqlite/index.ts'
import { type PostgresServer, startPostgres } from './postgres.ts'
import { tempDir } from './server.ts'

export interface Opened extends AsyncDisposable {
  store: Store
  /** Opens another store on the same data, as another process would. */
  another(): Promise<Store>
}

let server: Promise<PostgresServer> | undefined
after(async () => {
  await (await server)?.remove()
})

/**
 * Defaults that a database or a role may have. The schema `nowhere` does not exist, so names
 * without a schema are not found.
 */
const UNUSUAL = {
  search_path: 'nowhere',
  default_transaction_isolation: 'serializable',
  synchronous_commit: 'off',
  bytea_output: 'escape',
}

/** All stores that must fulfil the contract. */
export const STORES: Record<string, () => Promise<Opened>> = {
  async sqlite() {
    const dir = tempDir()
    const stores: Store[] = []
    const another = async () => {
      const store = sqliteStore(join(dir.path, 'store.db'))
      stores.push(store)
      await store.open({ features, migrate: 'auto' })
      return store
    }
    const close = async () => {
      for (const store of stores) await store.close()
      dir[Symbol.dispose]()
    }
    return { store: await another(), another, [Symbol.asyncDispose]: close }
  },
  async postgres() {
    server ??= startPostgres()
    const url = await (await server).createDatabase(UNUSUAL)
    const stores: Store[] = []
    const another = async () => {
      const store = postgresStore(url, { connections: 4 })
      stores.push(store)
      await store.open({ features, migrate: 'auto' })
      return store
    }
    const close = async () => {
      for (const store of stores) await store.close()
    }
    return { store: await another(), another, [Symbol.asyncDispose]: close }
  },
}

/** A SQLite store and its file. */
export interface OpenedFile extends AsyncDisposable {
  store: Store
  file: string
}

export async function openFile(): Promise<OpenedFile> {
  const dir = tempDir()
  const file = join(dir.path, 'store.db')
  const store = sqliteStore(file)
  await store.open({ features, migrate: 'auto' })
  const close = async () => {
    await store.close()
    dir[Symbol.dispose]()
  }
  return { store, file, [Symbol.asyncDispose]: close }
}

/** A transaction that writes one row. */
export function setName(store: Store, name: string): Promise<string> {
  return store.transaction((facts) => facts.metadata.getOrSet(name, 'x'))
}

export const NOW = 1_800_000_000_000

export function user(id: string, changed: Partial<UserRow> = {}): UserRow {
  const versions = { ver: 1, credential_version: 1, created_at: NOW, updated_at: NOW }
  return {
    id,
    email: `${id}@example.com`,
    password_hash: 'hash',
    roles: ['a', 'b'],
    disabled_at: null,
    email_verified_at: null,
    last_login_at: null,
    name: null,
    attributes: null,
    ...versions,
    ...changed,
  }
}

export function session(id: string, changed: Partial<SessionRow> = {}): SessionRow {
  const times = {
    auth_time: NOW,
    created_at: NOW,
    seen_at: NOW,
    idle_expires_at: NOW + 1000,
    absolute_expires_at: NOW + 5000,
  }
  const unknown = {
    created_ip: null,
    created_user_agent: null,
    seen_ip: null,
    seen_user_agent: null,
    scope: null,
    roles: null,
    claims: null,
  }
  const tokens = {
    generation: 0,
    parent_generation: null,
    rotated_at: null,
    presented_at: null,
    forks: null,
    device: null,
    earlier_use: null,
    access_expires_at: NOW + 900,
    remember: true,
    ver: null,
    access_ttl: null,
    jkt: null,
  }
  const key = { hmac_key: Uint8Array.of(1, 2, 3), client_id: 'sealwax', amr: ['pwd'], ended_at: null, end_reason: null }
  return { id, subject: 'ann', ...times, ...unknown, ...tokens, ...key, ...changed }
}

export function client(id: string, changed: Partial<ClientRow> = {}): ClientRow {
  const times = { disabled_at: null, created_at: NOW, updated_at: NOW }
  return { id, name: `the client ${id}`, scopes: ['a:b', 'c'], ver: 7, ...times, ...changed }
}

export function secret(id: string, client_id: string, changed: Partial<ClientSecretRow> = {}): ClientSecretRow {
  return { id, client_id, hash: Uint8Array.of(1, 2, 255), created_at: NOW, expires_at: null, ...changed }
}
