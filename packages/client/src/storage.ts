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
  read(): Promise<string | null>
  /** Resolves with true if the value is in the storage. */
  write(value: string | null): Promise<boolean>
}

export function createItem(storage: ClientStorage, key: string): Item {
  /** What the storage contained when it could last be read. */
  let found: string | null = null
  /** What could not be stored, and what the storage contained then. */
  let unsaved: { readonly value: string | null; readonly instead: string | null } | undefined

  async function look(): Promise<string | null> {
    try {
      found = (await storage.getItem(key)) ?? null
    } catch {
      // A phone that is locked. Nobody is logged out by that.
    }
    return found
  }

  return {
    async read() {
      const current = await look()
      // Another tab may have stored something since.
      return unsaved?.instead === current ? unsaved.value : current
    },
    async write(value) {
      try {
        await (value === null ? storage.removeItem(key) : storage.setItem(key, value))
        found = value
        unsaved = undefined
        return true
      } catch {
        unsaved = { value, instead: await look() }
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
  try {
    const { session, token } = JSON.parse((await item?.read()) ?? '')
    return { session, token }
  } catch {
    return undefined
  }
}
