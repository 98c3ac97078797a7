import { audit } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { purgeInPages } from '../core/purge.ts'
import { commit } from '../core/unit-of-work.ts'
import { composeMail, type Outgoing, PermanentMailError } from './compose.ts'
import type { OutboxRow } from './contract.ts'
import { outboxBell } from './outbox.ts'
import { describeFailure } from './smtp-failure.ts'
import { isMailLogged, mailAvailable, transportOf } from './transport.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** How often to look for mails of other servers and for further attempts. */
const LOOK_EVERY_MS = SECOND
/** How many mails one server sends at the same time. */
const AT_ONCE = 5
/** How long other servers leave a mail to the one that sends it. */
const LEASE_MS = MINUTE
/** An attempt that takes longer has failed. Well below the lease, since clocks differ. */
const ATTEMPT_MS = 40 * SECOND
/** How long a closing server waits for the mails that it is sending. `serve` ends within 1.8 s. */
const CLOSE_MS = 1.5 * SECOND
/** How long sending a mail is tried. */
const GIVE_UP_MS = 24 * HOUR
/** How often to try to write how an attempt ended. */
const WRITE_TRIES = 10
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [10 * SECOND, HOUR]

/** Sends the mails of the outbox until the server closes. */
export async function sendMails(context: Context, signal: AbortSignal): Promise<void> {
  if (!mailAvailable(context)) return
  const bell = outboxBell(context)
  const sending = new Set<Promise<void>>()
  while (!signal.aborted) {
    const free = AT_ONCE - sending.size
    const taken = free === 0 ? [] : await take(context, free)
    for (const row of taken) {
      const sent: Promise<void> = send(context, row).finally(() => {
        sending.delete(sent)
        bell.ring()
      })
      sending.add(sent)
    }
    if (taken.length === 0 || taken.length === free) await bell.wait(LOOK_EVERY_MS, signal)
  }
  await within(CLOSE_MS, Promise.all(sending)).catch(() => {})
}

/** Takes mails that are due. While the store is away there are none. */
async function take(context: Context, limit: number): Promise<readonly OutboxRow[]> {
  const { store, log } = context
  try {
    const due = await store.committed.outbox.nextDue()
    const now = context.now()
    if (due === undefined || due > now) return []
    const by = context.randomBytes(16).toString('base64url')
    return await store.transaction(({ outbox }) => outbox.claim({ now, until: now + LEASE_MS, by, limit }))
  } catch (err) {
    log.debug({ err }, 'the outbox could not be read')
    return []
  }
}

async function send(context: Context, row: OutboxRow): Promise<void> {
  const { log, store } = context
  const { id, kind, attempts } = row
  const by = row.claimed_by as string
  try {
    const isSent = await within(ATTEMPT_MS, attempt(context, row))
    await persist(context, () => store.transaction(({ outbox }) => outbox.delete(id, by)))
    log.info({ kind, message_id: id }, isSent ? 'mail sent' : 'mail dropped: there is nothing to send any more')
  } catch (error) {
    const failure = describeFailure(error)
    const next = context.now() + pauseAfter(context, attempts)
    const reason = failure.permanent ? 'refused' : next > row.created_at + GIVE_UP_MS ? 'expired' : undefined
    await persist(context, () =>
      reason === undefined
        ? store.transaction(({ outbox }) => outbox.postpone(id, by, next))
        : giveUp(context, row, { reason, ...failure.fields }),
    )
    log.warn({ kind, message_id: id, attempts, ...failure.fields }, reason ? 'mail given up' : 'mail not sent yet')
  }
}

/**
 * Writes how an attempt ended, repeatedly while the store is away: a mail that was sent, but stays
 * in the outbox, is sent again. Gives up before the lease ends.
 */
async function persist({ log }: Context, write: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await write()
      return
    } catch (err) {
      if (tries === WRITE_TRIES) return log.warn({ err }, 'the outbox could not be written: a mail may be sent again')
      await new Promise((resolve) => setTimeout(resolve, SECOND).unref())
    }
  }
}

/** Returns false if there is nothing to send any more. */
async function attempt(context: Context, row: OutboxRow): Promise<boolean> {
  const outgoing = await composeMail(context, row).catch((err) => {
    if (!(err instanceof PermanentMailError)) context.log.error({ err, kind: row.kind }, 'a mail could not be composed')
    throw err
  })
  if (outgoing === undefined) return false
  if (isMailLogged(context)) logMail(context, row, outgoing)
  else await transportOf(context)?.(outgoing.message)
  return true
}

/** The only place where a link or a code is logged: there is nobody else who could read it. */
function logMail({ log }: Context, { kind }: OutboxRow, { message, values }: Outgoing): void {
  const { link, code } = values
  const fields = { kind, to: message.to, subject: message.subject, ...(link && { link }), ...(code && { code }) }
  log.info(fields, 'development only, since smtpUrl is not given: this mail would have been sent')
}

async function giveUp(context: Context, row: OutboxRow, data: object): Promise<void> {
  await commit(context, async (unit) => {
    // Another server has taken it meanwhile, and will see to it.
    if (!(await unit.outbox.delete(row.id, row.claimed_by as string))) return
    await audit(unit, {
      type: 'mail.failed',
      time: context.now(),
      subject: row.subject ?? undefined,
      data: { kind: row.kind, attempts: row.attempts, ...data },
    })
  })
}

/** Doubles with each attempt, and is partly random, so that many mails do not stay together. */
function pauseAfter({ randomBytes }: Context, attempts: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_PAUSE_MS)
  return Math.round(pause * (0.75 + randomBytes(2).readUInt16BE() / 0x40000))
}

/** Rejects when a promise takes too long. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('took too long'), { code: 'ETIMEDOUT' })), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Deletes the counts of windows that are over. */
export async function purgeMailCounts({ store, now }: Context, signal: AbortSignal): Promise<void> {
  const before = now()
  await purgeInPages(signal, (limit) => store.transaction(({ mailCounts }) => mailCounts.purge(before, limit)))
}
