/**
 * Where token mode keeps the refresh token: `localStorage`, AsyncStorage, or three functions around
 * the secure storage of a phone. May be asynchronous.
 */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>
  setItem(key: string, value: string): unknown
  removeItem(key: string): unknown
}

/** A refresh token, and the session it belongs to. */
export interface Stored {
  readonly session: string
  readonly token: string
}

/** The refresh token of this client. Works, until the page is closed, without its storage too. */
export interface TokenStore {
  read(): Promise<Stored | undefined>
  /** Resolves with true if the token is in the storage. */
  write(stored: Stored): Promise<boolean>
  clear(): Promise<void>
}

export function createTokenStore(storage: ClientStorage, key: string): TokenStore {
  /** What could not be stored, and what the storage contained then. */
  let unsaved: { readonly stored: Stored | undefined; readonly instead: string | null } | undefined

  async function text(): Promise<string | null> {
    try {
      return await storage.getItem(key)
    } catch {
      return null
    }
  }

  async function change(run: () => unknown, stored: Stored | undefined): Promise<boolean> {
    try {
      await run()
      unsaved = undefined
      return true
    } catch {
      unsaved = { stored, instead: await text() }
      return false
    }
  }

  return {
    async read() {
      const found = await text()
      // Another tab may have stored something since.
      return unsaved !== undefined && unsaved.instead === found ? unsaved.stored : parse(found)
    },
    write: (stored) => change(() => storage.setItem(key, JSON.stringify(stored)), stored),
    async clear() {
      await change(() => storage.removeItem(key), undefined)
    },
  }
}

function parse(text: string | null): Stored | undefined {
  try {
    const { session, token } = JSON.parse(text ?? '')
    return typeof session === 'string' && typeof token === 'string' ? { session, token } : undefined
  } catch {
    return undefined
  }
}

/** Keeps tokens until the process ends. */
export function memoryStorage(): ClientStorage {
  const items = new Map<string, string>()
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  }
}
