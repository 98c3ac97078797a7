/** Reads from localStorage; undefined if there is nothing, or storage is forbidden. */
export function readStored(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

/** Writes to localStorage. Without storage, the page forgets the value when it is closed. */
export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {}
}

/** Removes all values whose key begins with a prefix. */
export function forgetStored(prefix: string): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key)
  } catch {}
}

/** Removes a value from localStorage. */
export function removeStored(key: string): void {
  try {
    localStorage.removeItem(key)
  } catch {}
}
