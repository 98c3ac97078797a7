/** Remembers what cost a signature check, by the token's text. */
export interface TokenCache<Entry extends { readonly token: string }> {
  /** The entry of exactly this token. */
  find(token: string): Entry | undefined
  add(entry: Entry): void
  /** Forgets an entry, which may have been forgotten already. */
  remove(entry: Entry): void
  clear(): void
}

/**
 * An entry is found by the end of its token: 128 bits or more of the signature, so it costs less to hash than the whole and says as much. The whole
 * token is compared then.
 */
const TAIL = 22

/** Greatest sum of the lengths of all tokens, for each entry that fits in: many long tokens push each other out earlier. */
const LENGTH_PER_ENTRY = 1024

/**
 * Creates a cache that holds at most `size` entries, in two halves: what is used moves into the younger one, and when that is full the older
 * one is forgotten as a whole. So whatever was used among the last `size / 2` different tokens is there, and using an entry writes nothing while it is young.
 * @param size a whole number; with 0 or 1 nothing is kept
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
