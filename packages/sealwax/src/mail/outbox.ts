import { createHash } from 'node:crypto'
import { audit } from '../core/audit.ts'
import { type Context, perContext } from '../core/context.ts'
import { networksOf } from '../core/network.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import type { Unit } from '../core/unit-of-work.ts'
import { type MailKind, mailKinds } from './kinds.ts'
import { mailAvailable } from './transport.ts'

/** A mail for the outbox. */
export interface NewMail {
  /** The name of its kind. */
  readonly kind: string
  /** The address of the recipient. */
  readonly recipient: string
  /** What `compose` of the kind needs. Never a secret: it is stored as it is. */
  readonly data?: Readonly<Record<string, unknown>>
  /** The user whom it is about, for the audit log. */
  readonly subject?: string | undefined
  /** Where the request came from that causes the mail, for the limits. */
  readonly origin?: RequestOrigin | undefined
  /**
   * True if a stranger cannot have caused it: then the limits do not apply, which strangers could
   * have used up.
   */
  readonly unlimited?: boolean | undefined
}

/**
 * Adds a mail to a unit: it is sent soon after the commit, and never if the unit is rolled back.
 *
 * @returns false if it will not be sent: a limit of its kind is reached, or there is no mail
 *   (`mailAvailable`). Callers that serve strangers must not tell.
 */
export async function enqueueMail(context: Context, unit: Unit, mail: NewMail): Promise<boolean> {
  const { kind: name, recipient, data = {}, subject } = mail
  const kind = mailKinds(context).get(name)
  if (kind === undefined) throw new Error(`There is no kind of mail named ${name}`)
  if (!mailAvailable(context)) return false
  const now = context.now()
  if (await isOverLimit(unit, kind, mail, now)) return false
  const id = context.randomBytes(16).toString('base64url')
  await unit.outbox.insert({
    ...{ id, kind: name, recipient, subject: subject ?? null, data },
    ...{ attempts: 0, due_at: now, claimed_by: null, created_at: now },
  })
  unit.afterCommit.push(() => outboxBell(context).ring())
  return true
}

/** Counts a mail. The first one that is over a limit in its window is audited. */
async function isOverLimit(
  unit: Unit,
  { limits }: MailKind,
  { kind, recipient, subject, unlimited, origin = {} }: NewMail,
  now: number,
): Promise<boolean> {
  if (limits === undefined || unlimited === true) return false
  const { by: _, ...from } = origin
  const address = createHash('sha256').update(recipient.toLowerCase()).digest('base64url')
  const network = networksOf(origin.ip).subnet
  const perNetwork = origin.ip === undefined ? [] : limits.perNetwork
  // What a network sends beyond its limits does not count for the address.
  const counted = [
    ...limits.perCaller.map((limit) => ({ ...limit, by: 'caller', key: `${address} ${network}` })),
    ...perNetwork.map((limit) => ({ ...limit, by: 'network', key: network })),
    ...limits.perAddress.map((limit) => ({ ...limit, by: 'address', key: address })),
  ]
  for (const { by, key, count, window } of counted) {
    const start = now - (now % window)
    const raised = await unit.mailCounts.raise(`${limits.name} ${by} ${key} ${window} ${start}`, start + window)
    if (raised <= count) continue
    if (raised === count + 1)
      await audit(unit, { type: 'mail.limited', time: now, subject, ...from, data: { kind, by } })
    return true
  }
  return false
}

/** Wakes the sender of this process. */
interface Bell {
  /** Ends the current or the next wait. */
  ring(): void
  /** Resolves when the bell rings, after a time, or when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>
}

/** The bell of a context. */
export const outboxBell: (context: Context) => Bell = perContext(createBell)

function createBell(): Bell {
  let rung = false
  let end: (() => void) | undefined
  return {
    ring() {
      rung = true
      end?.()
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        end = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          end = undefined
          rung = false
          resolve()
        }
        const done = () => end?.()
        // Does not keep the process alive: what waits in the outbox is sent after the next start.
        const timer = setTimeout(done, milliseconds).unref()
        signal.addEventListener('abort', done)
        if (rung || signal.aborted) done()
      }),
  }
}
