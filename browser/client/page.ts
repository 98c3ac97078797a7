// The page of the suite: a client, and clocks that can be moved.
import { type ClientError, type ClientStorage, createClient } from '@sealwax/client'
import { createDpopFetch } from '@sealwax/client/dpop'

const given = new URLSearchParams(location.search)
if (given.has('silent')) Reflect.deleteProperty(globalThis, 'BroadcastChannel')

/** Milliseconds by which the clocks were moved. */
const moved = { monotonic: 0, wall: 0 }
const monotonic = performance.now.bind(performance)
performance.now = () => monotonic() + moved.monotonic
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...parts: unknown[]) {
    super(...((parts.length === 0 ? [RealDate.now() + moved.wall] : parts) as []))
  }
  static override now() {
    return RealDate.now() + moved.wall
  }
} as DateConstructor

/** Whether the browser denies access to the storage. */
let denied = false

function storage(): Storage {
  if (denied) throw new DOMException('Access is denied for this document.', 'SecurityError')
  return localStorage
}

const local: ClientStorage = {
  getItem: (key) => storage().getItem(key),
  setItem: (key, value) => storage().setItem(key, value),
  removeItem: (key) => storage().removeItem(key),
}

const client = createClient({
  baseUrl: location.origin,
  ...(given.get('mode') === 'token' && { mode: 'token', storage: local }),
  ...(given.has('dpop') && { fetch: createDpopFetch() }),
})

/** The ids of the users that the client told of; null if nobody was logged in. */
const heard: (string | null)[] = []
client.onChange((session) => heard.push(session?.userId ?? null))

/** How often the page came back from the back-forward cache. */
let restored = 0
addEventListener('pageshow', (event) => {
  restored += event.persisted ? 1 : 0
})

async function ask(): Promise<string> {
  try {
    return (await client.me()).email as string
  } catch (error) {
    return (error as ClientError).code ?? String(error)
  }
}

/** What the suite calls in the page. */
const functions = {
  client,
  heard,
  /**
   * The address of the user as whom requests are sent, or the code of the error. Days later, the
   * key of the last token may be retired; that request fails, and the next one has a new token.
   */
  async act(): Promise<string> {
    const result = await ask()
    return result === 'token_key_unknown' ? ask() : result
  },
  /** Like `act`, several at once, by `fetch`: the same for all, or all of them. */
  async actTogether(times: number): Promise<string> {
    const replies = await Promise.all(
      Array.from({ length: times }, () =>
        client.fetch('/me').then(
          (reply) => (reply.ok ? reply.json().then(({ user }) => user.email, String) : `status ${reply.status}`),
          (error: ClientError) => error.code,
        ),
      ),
    )
    return [...new Set(replies)].join(' ')
  },
  move(by: { readonly monotonic?: number; readonly wall?: number }): void {
    moved.monotonic += by.monotonic ?? 0
    moved.wall += by.wall ?? 0
  },
  deny(now: boolean): void {
    denied = now
  },
  /** Fills the storage until nothing fits any more. */
  fill(): void {
    for (let size = 1 << 22; size >= 1; size >>= 1) {
      try {
        for (let i = 0; ; i += 1) localStorage.setItem(`fill ${size} ${i}`, 'x'.repeat(size))
      } catch {
        // The next size is smaller.
      }
    }
  },
  empty(): void {
    for (const key of Object.keys(localStorage)) if (key.startsWith('fill')) localStorage.removeItem(key)
  },
  restored: () => restored,
}

declare global {
  var tab: typeof functions
}

globalThis.tab = functions
