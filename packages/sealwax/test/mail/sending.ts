import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../../src/core/context.ts'
import type { AuthOptions } from '../../src/core/options.ts'
import { commit, type Store } from '../../src/core/unit-of-work.ts'
import { open } from '../../src/create-auth.ts'
import type { Feature } from '../../src/feature.ts'
import { features } from '../../src/features.ts'
import { LIMITS_FOR_STRANGERS, type MailKind } from '../../src/mail/kinds.ts'
import { enqueueMail, type NewMail } from '../../src/mail/outbox.ts'
import { collector, createClock, SECRET } from '../server.ts'

export const LINK = 'https://app.example.com/notes?token=kZ4w&x=1'

/** The values that the kinds below return are those that were enqueued. */
const compose: MailKind['compose'] = async (_context, data, recipient) => {
  const { language, gone, to = recipient, ...values } = data as Record<string, string>
  return gone === undefined ? { to, language, values } : undefined
}

const texts: MailKind['texts'] = {
  en: {
    subject: 'A note for {name}',
    paragraphs: ['Hello {name},', 'somebody wrote a note at {app}.', '{link}', '{code}', 'From {device}.'],
    button: 'Read it',
  },
  de: {
    subject: 'Eine Notiz',
    paragraphs: ['Hallo {name},', 'jemand hat eine Notiz geschrieben: {app}.', '{link}', '{code}'],
    button: 'Lesen',
  },
}

const values = ['name', 'link', 'code', 'device']

/** A feature with two kinds of mail, and a call that enqueues them. */
const notes = {
  name: 'notes',
  mails: {
    'note.added': { texts, values, compose },
    'note.asked': { texts, values, compose, limits: LIMITS_FOR_STRANGERS },
  },
  api: (context: Context) => ({ notes: { context } }),
} as const satisfies Feature

/** Starts a server with the feature above. Its clock moves only when a test advances it. */
export async function startNotes(store: Store, options: Partial<AuthOptions> = {}) {
  const clock = createClock()
  const { lines, events, logger, onEvent } = collector()
  const auth = await open(
    {
      ...{ issuer: 'https://auth.example.com', audience: 'api', secret: SECRET, store, logger },
      ...{ now: () => clock.time, onEvent, ...options },
    },
    [...features, notes] as const,
  )
  events.length = 0
  const { context } = auth.notes
  return {
    ...{ auth, store, clock, lines, events, context },
    /**
     * Enqueues a mail.
     * @param fail throws after that, so that the unit is rolled back
     * @param quietly inserts it even when the server has no mail
     */
    send: (mail: Partial<NewMail> = {}, { fail = false, quietly = false } = {}): Promise<boolean> =>
      commit(context, async (unit) => {
        const able = quietly ? { ...context, mail: async () => {} } : context
        const accepted = await enqueueMail(able, unit, { kind: 'note.added', recipient: 'ann@example.com', ...mail })
        if (fail) throw new Error('rolled back')
        return accepted
      }),
    due: () => store.committed.outbox.nextDue(),
    /** 1 while mails wait, otherwise 0. */
    waiting: async () => ((await store.committed.outbox.nextDue()) === undefined ? 0 : 1),
    /** How many lines of the log have this message. */
    told: (message: string) => lines.filter((line) => line.message === message).length,
    [Symbol.asyncDispose]: () => auth.close(),
  }
}

/** Waits until a condition holds; fails after 15 seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never: ${holds}`)
    await delay(10)
  }
}
