import { createHash } from 'node:crypto'
import type { Context } from '../core/context.ts'

/** How long a sign-up waits for the service. */
const TIMEOUT_MS = 1000

/** A range has about a thousand lines of at most 50 bytes. */
const MOST_BYTES = 1024 * 1024

/** More simultaneous requests would only wait for each other. */
const MOST_AT_ONCE = 64

/** Failures are logged once in this time, with their number. */
const LOGGED_EVERY_MS = 60_000

/**
 * Returns a function that asks a service whether a password is in its list of breached ones. The
 * service gets the first five of the forty digits of the SHA-1 and returns all entries that begin
 * with them, so it does not learn the password. While it does not reply, no password is breached:
 * otherwise its outage would stop every sign-up.
 */
export function breachedPasswords(
  url: string,
  { log, elapsed }: Pick<Context, 'log' | 'elapsed'>,
): (password: string) => Promise<boolean> {
  let running = 0
  let failures = 0
  let loggedAt = Number.NEGATIVE_INFINITY

  function warn(reason: string): void {
    failures += 1
    if (elapsed() - loggedAt < LOGGED_EVERY_MS) return
    log.warn(
      { reason, failures },
      'The list of breached passwords cannot be read: new passwords are accepted without it',
    )
    loggedAt = elapsed()
    failures = 0
  }

  return async (password) => {
    const digest = createHash('sha1').update(password).digest('hex').toUpperCase()
    if (running >= MOST_AT_ONCE) {
      warn('too many requests at once')
      return false
    }
    running += 1
    try {
      return (await readRange(`${url}/${digest.slice(0, 5)}`)).has(digest.slice(5))
    } catch (error) {
      warn(reasonOf(error))
      return false
    } finally {
      running -= 1
    }
  }
}

/** The reply is not what a range service sends. */
class UnusableReply extends Error {}

/** Returns the ends of the digests in a range. */
async function readRange(url: string): Promise<ReadonlySet<string>> {
  const response = await fetch(url, {
    // With padding, the length of the reply does not show which range was asked for.
    headers: { 'Add-Padding': 'true', 'User-Agent': 'sealwax' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    throw new UnusableReply(`status ${response.status}`)
  }
  const found = new Set<string>()
  for (const line of (await readText(response.body)).split('\n')) {
    const [, end, count] = /^([0-9A-F]{35}):(\d+)\s*$/i.exec(line) ?? []
    if (end === undefined && line.trim() !== '') throw new UnusableReply('a line is not a digest and a number')
    // Entries with the count 0 are padding.
    if (end !== undefined && Number(count) > 0) found.add(end.toUpperCase())
  }
  return found
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MOST_BYTES) throw new UnusableReply('the reply is longer than 1 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}

/** The message of `fetch` contains the URL, and with it a part of the digest. */
function reasonOf(error: unknown): string {
  if (error instanceof UnusableReply) return error.message
  if (error instanceof Error && error.name === 'TimeoutError') return `no reply within ${TIMEOUT_MS} ms`
  const { cause } = error as { cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : 'the request failed'
}
