import { ClientError } from './errors.ts'

/**
 * Where token mode keeps the refresh token: `localStorage`, AsyncStorage, or three functions around
 * the secure storage of a phone. May be asynchronous.
 */
export interface ClientStorage {
  /** Returns null for a key that was not set. */
  getItem(key: string): string | null | Promise<string | null>
  /** Throws or rejects if the value could not be stored. */
  setItem(key: string, value: string): unknown
  /** Throws or rejects if the value could not be removed. */
  removeItem(key: string): unknown
}

/** One value of a storage. Works without the storage, too, until the page is closed. */
export interface Item {
  /** @throws {ClientError} `storage_unavailable` */
  read(): Promise<string | null>
  /** Resolves with true if the value is in the storage. */
  write(value: string | null): Promise<boolean>
}

export function createItem(storage: ClientStorage, key: string): Item {
  /** What the storage contained as far as is known; undefined if it could never be read. */
  let found: string | null | undefined
  /** What could not be stored, and what the storage contained then. */
  let unsaved: { readonly value: string | null; readonly instead: string | null } | undefined

  return {
    async read() {
      try {
        found = (await storage.getItem(key)) ?? null
      } catch (cause) {
        if (unsaved) return unsaved.value
        // Another tab may have stored something newer since, and an older token ends the session.
        if (found !== undefined) throw new ClientError('storage_unavailable', 'The storage cannot be read', { cause })
        return null
      }
      // Another tab may have stored something since.
      return unsaved?.instead === found ? unsaved.value : found
    },
    async write(value) {
      try {
        await (value === null ? storage.removeItem(key) : storage.setItem(key, value))
        found = value
        unsaved = undefined
        return true
      } catch {
        unsaved = { value, instead: found ?? null }
        return false
      }
    },
  }
}

/** Keeps values until the process ends. */
export function memoryStorage(): ClientStorage {
  const items = new Map<string, string>()
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  }
}

/** A refresh token, and the session it belongs to. */
export interface Stored {
  readonly session: string
  readonly token: string
}

/** Reads the item of a refresh token. */
export async function readStored(item: Item | undefined): Promise<Stored | undefined> {
  const text = await item?.read()
  try {
    // What somebody else has stored has no token, or one that the server refuses.
    return JSON.parse(text ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}
