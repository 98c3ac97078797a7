import { ClientError } from './errors.ts'

/**
 * Where token mode keeps the refresh token: `localStorage`, AsyncStorage, or three functions around
 * the secure storage of a phone. May be asynchronous.
 */
export interface ClientStorage {
  /** Returns null or undefined for a key that was not set. */
  getItem(key: string): string | null | undefined | Promise<string | null | undefined>
  /** Throws or rejects if the value could not be stored. */
  setItem(key: string, value: string): unknown
  /** Throws or rejects if the value could not be removed. */
  removeItem(key: string): unknown
}

/** A storage that may fail. Works without it, too, until the page is closed. */
export interface Values {
  /** @throws {ClientError} `storage_unavailable` */
  read(key: string): Promise<string | undefined>
  /** Stores a value, or removes it. Resolves with true if the storage did it. */
  write(key: string, value?: string): Promise<boolean>
}

export function createValues(storage: ClientStorage): Values {
  /** What the storage contained as far as is known; nothing for what could never be read. */
  const found: Record<string, string | undefined> = {}
  /** What could not be stored, and what the storage contained then. */
  const unsaved: Record<string, { readonly value: string | undefined; readonly instead: string | undefined }> = {}

  return {
    async read(key) {
      try {
        found[key] = (await storage.getItem(key)) ?? undefined
      } catch (cause) {
        if (unsaved[key]) return unsaved[key].value
        // Another tab may have stored something newer since, and an older token ends the session.
        if (key in found) throw new ClientError('storage_unavailable', 'The storage is unreadable', { cause })
        return undefined
      }
      // Another tab may have stored something since.
      const newer = unsaved[key]
      return newer && newer.instead === found[key] ? newer.value : found[key]
    },
    async write(key, value) {
      try {
        await (value === undefined ? storage.removeItem(key) : storage.setItem(key, value))
        found[key] = value
        delete unsaved[key]
        return true
      } catch {
        unsaved[key] = { value, instead: found[key] }
        return false
      }
    },
  }
}

/** Keeps values until the process ends. */
export function memoryStorage(): ClientStorage {
  const items = new Map<string, string>()
  return {
    getItem: (key) => items.get(key),
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  }
}

/** A refresh token, and the session it belongs to. */
export interface Stored {
  readonly session: string
  readonly token: string
}

/**
 * The refresh token in a storage that other tabs use at the same time, without locks. What they
 * write becomes visible some milliseconds late.
 *
 * Therefore one value names the session, and each session has a value of its own for its token.
 * Only a log-in or log-out writes the first, and a refresh only the second: a late one cannot
 * replace the token of a newer session.
 */
export interface TokenStore {
  /** @throws {ClientError} `storage_unavailable` */
  read(): Promise<Stored | undefined>
  /** Stores a new session. Returns the one that was there before. */
  begin(session: string, token: string): Promise<Stored | undefined>
  /** Stores a successor, or deletes the token. Resolves with true if that worked. */
  write(session: string, token?: string): Promise<boolean>
  /**
   * Deletes the session. Returns what was there.
   *
   * @throws {ClientError} `storage_unavailable`
   */
  clear(): Promise<Stored | undefined>
}

export function createTokenStore(values: Values, key: string): TokenStore {
  const write = (session: string, token?: string) => values.write(`${key}.${session}`, token)

  async function read(): Promise<Stored | undefined> {
    const session = await values.read(key)
    const token = session && (await values.read(`${key}.${session}`))
    if (token) return { session, token }
    // A log-in of another tab may have replaced the session between the two.
    return session === (await values.read(key)) ? undefined : read()
  }

  return {
    read,
    write,
    async begin(session, token) {
      const before = await read().catch(() => undefined)
      const stored = await write(session, token)
      await values.write(key, session)
      // In a full storage, this makes space for the new one.
      if (before) await write(before.session)
      if (!stored) await write(session, token)
      return before
    },
    async clear() {
      const before = await read()
      await values.write(key)
      if (before) await write(before.session)
      return before
    },
  }
}
