/** Stores verified tokens by their string, so that the next signature check can be skipped. */
export interface TokenCache<Entry extends { readonly token: string }> {
  /** Returns the entry of exactly this token. */
  find(token: string): Entry | undefined
  /** Adds an entry. */
  add(entry: Entry): void
  /** Removes an entry if it is still cached. */
  remove(entry: Entry): void
  /** Removes all entries. */
  clear(): void
}

/**
 * Entries are found by the end of the token, at least 128 bits of the signature: cheaper to hash
 * than the whole token, and as unique. Then the whole token is compared.
 */
const TAIL = 22

/** Maximum total length of all tokens, per entry: long tokens are evicted earlier. */
const LENGTH_PER_ENTRY = 1024

/**
 * Creates a cache of at most `size` entries, in two halves: an entry that is used moves to the
 * young half, and when that is full, the old half is dropped. So the last `size / 2` different
 * tokens are always cached, and a hit in the young half writes nothing.
 * @param size a whole number; with 0 or 1 nothing is cached
 */
export function createTokenCache<Entry extends { readonly token: string }>(size: number): TokenCache<Entry> {
  const half = Math.floor(size / 2)
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  let length = 0

  function add(tail: string, entry: Entry): void {
    if (entry.token.length > half * LENGTH_PER_ENTRY) return
    if (young.size >= half || length + entry.token.length > half * LENGTH_PER_ENTRY) {
      old = young
      young = new Map()
      length = 0
    }
    young.set(tail, entry)
    length += entry.token.length
  }

  return {
    find(token) {
      const tail = token.slice(-TAIL)
      const recent = young.get(tail)
      if (recent !== undefined) return recent.token === token ? recent : undefined
      const entry = old.get(tail)
      if (entry?.token !== token) return undefined
      old.delete(tail)
      add(tail, entry)
      return entry
    },
    add(entry) {
      add(entry.token.slice(-TAIL), entry)
    },
    remove({ token }) {
      const tail = token.slice(-TAIL)
      for (const generation of [young, old]) if (generation.get(tail)?.token === token) generation.delete(tail)
    },
    clear() {
      young.clear()
      old.clear()
      length = 0
    },
  }
}
