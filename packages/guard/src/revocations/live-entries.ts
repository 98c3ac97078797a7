/**
 * Names with an expiry time. A name that is the canonical base64url of 128 bits (22 characters:
 * session ids of Sealwax, and subject keys) takes 20 bytes in a hash table that is at most half
 * full; any other name is in a Map.
 */
export interface LiveEntries {
  /**
   * Returns the version of a name; 0 if it was added without one, `undefined` if the name is
   * unknown or expired.
   * @param now milliseconds since 1970; called only for a known name
   */
  versionOf(name: string, now: () => number): number | undefined
  /**
   * Adds a name. The later `until` (seconds since 1970) and the higher version apply, unless the
   * earlier entry has expired.
   */
  add(name: string, until: number, version: number, now: number): void
  /** Number of names that have not expired. */
  count(now: number): number
}

/**
 * Words of a slot: four of the name, then its expiry in seconds since 1970; 0 there means that the
 * slot is free.
 */
const WIDTH = 5
const UNTIL = 4
const SMALLEST = 256
const GREATEST_WORD = 2 ** 32 - 1

const SEXTETS = new Uint8Array(128).fill(64)
for (const [sextet, letter] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].entries()) {
  SEXTETS[letter.charCodeAt(0)] = sextet
}

/**
 * The words of the name that was read last. Shared, since all code here is synchronous and has no
 * callbacks.
 */
const words = new Uint32Array(4)

/**
 * Creates an empty store.
 * @param versioned whether names have versions; 8 more bytes per slot
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory, each part of it short
export function createLiveEntries(versioned: boolean): LiveEntries {
  const others = new Map<string, { until: number; version: number }>()
  let capacity = SMALLEST
  let cells = new Uint32Array(capacity * WIDTH)
  let versions = new Float64Array(versioned ? capacity : 0)
  /** Slots that are not free, including expired entries until the next sweep. */
  let used = 0
  let sweepOthersAt = SMALLEST

  /** The slot of the name in `words`, or the free one where it belongs. */
  function slotOf(): number {
    // The high bits select the slot: when the table grows, neighbors stay neighbors, so that memory
    // is read and written in order.
    let slot = spread() >>> Math.clz32(capacity - 1)
    for (; ; slot = (slot + 1) & (capacity - 1)) {
      const cell = slot * WIDTH
      if (cells[cell + UNTIL] === 0) return slot
      if (cells[cell] !== words[0] || cells[cell + 1] !== words[1]) continue
      if (cells[cell + 2] === words[2] && cells[cell + 3] === words[3]) return slot
    }
  }

  function put(slot: number, until: number, version: number): void {
    const cell = slot * WIDTH
    // One by one: `set` takes several times as long for four words.
    for (let i = 0; i < UNTIL; i++) cells[cell + i] = words[i] as number
    cells[cell + UNTIL] = until
    if (versioned) versions[slot] = version
  }

  function sweepOthers(now: number): void {
    for (const [name, { until }] of others) if (until * 1000 <= now) others.delete(name)
    sweepOthersAt = Math.max(SMALLEST, 2 * others.size)
  }

  /** Removes expired entries and resizes the table so that the rest fills at most three eighths. */
  function sweep(now: number): void {
    const old = { cells, versions, capacity }
    used = countSlots(now)
    capacity = SMALLEST
    while (used * 8 > capacity * 3) capacity *= 2
    cells = new Uint32Array(capacity * WIDTH)
    versions = new Float64Array(versioned ? capacity : 0)
    for (let slot = 0; slot < old.capacity; slot++) {
      const cell = slot * WIDTH
      const until = old.cells[cell + UNTIL] as number
      if (until * 1000 <= now) continue
      for (let i = 0; i < UNTIL; i++) words[i] = old.cells[cell + i] as number
      put(slotOf(), until, old.versions[slot] ?? 0)
    }
  }

  function countSlots(now: number): number {
    let count = 0
    for (let cell = UNTIL; cell < cells.length; cell += WIDTH) if ((cells[cell] as number) * 1000 > now) count++
    return count
  }

  return {
    versionOf(name, now) {
      if (used > 0 && readWords(name)) {
        const slot = slotOf()
        const until = cells[slot * WIDTH + UNTIL] as number
        if (until !== 0 && until * 1000 > now()) return versions[slot] ?? 0
      }
      if (others.size === 0) return undefined
      const other = others.get(name)
      return other !== undefined && other.until * 1000 > now() ? other.version : undefined
    },
    add(name, until, version, now) {
      if (2 * (used + 1) > capacity) sweep(now)
      if (until > GREATEST_WORD || !readWords(name)) {
        if (others.size >= sweepOthersAt) sweepOthers(now)
        const other = others.get(name)
        const live = other !== undefined && other.until * 1000 > now ? other : { until: 0, version: 0 }
        others.set(name, { until: Math.max(until, live.until), version: Math.max(version, live.version) })
        return
      }
      const slot = slotOf()
      const before = cells[slot * WIDTH + UNTIL] as number
      if (before === 0) used++
      // Whole seconds, rounded up: an entry may expire a moment late, never early.
      if (before * 1000 <= now) put(slot, Math.ceil(until), version)
      else put(slot, Math.max(Math.ceil(until), before), Math.max(version, versions[slot] ?? 0))
    },
    count(now) {
      let count = countSlots(now)
      for (const { until } of others.values()) if (until * 1000 > now) count++
      return count
    },
  }
}

/**
 * Puts the 128 bits of a name into `words`; `false` if it is not 22 characters of canonical
 * base64url (RFC 4648 §3.5).
 */
function readWords(name: string): boolean {
  if (name.length !== 22) return false
  let wrong = 0
  let bits = 0
  let length = 0
  let word = 0
  for (let i = 0; i < 21; i++) {
    const code = name.charCodeAt(i)
    const sextet = code < 128 ? (SEXTETS[code] as number) : 64
    wrong |= sextet
    length += 6
    if (length < 32) {
      bits = (bits << 6) | (sextet & 63)
      continue
    }
    length -= 32
    words[word++] = (bits << (6 - length)) | (sextet >> length)
    bits = sextet & ((1 << length) - 1)
  }
  const code = name.charCodeAt(21)
  const last = code < 128 ? (SEXTETS[code] as number) : 64
  words[3] = (bits << 2) | (last >> 4)
  return ((wrong | last) & 64) === 0 && (last & 15) === 0
}

/**
 * Hashes the name in `words`. Session ids are random and subject keys are hashes; the mixing is for
 * ids that are not random.
 */
function spread(): number {
  let hash = Math.imul((words[0] as number) ^ (words[2] as number), 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15) ^ (words[1] as number), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ (words[3] as number), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
