import type { Context } from '../../src/core/context.ts'
import { commit } from '../../src/core/unit-of-work.ts'
import type { Feature } from '../../src/feature.ts'
import { features } from '../../src/features.ts'
import { LIMITS_FOR_STRANGERS, type MailKind } from '../../src/mail/kinds.ts'
import { enqueueMail, type NewMail } from '../../src/mail/outbox.ts'

/** The values that the kinds below return are those that were enqueued. */
const compose: MailKind['compose'] = async (_context, data, recipient) => {
  const { language, gone, ...values } = data as Record<string, string>
  return gone === undefined ? { to: recipient, language, values } : undefined
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

/** A feature with two kinds of mail, and a call to send them. */
export const notes = {
  name: 'notes',
  mails: {
    'note.added': { texts, values, compose },
    'note.asked': { texts, values, compose, limits: LIMITS_FOR_STRANGERS },
  },
  api: (context: Context) => ({
    notes: {
      context,
      send: (mail: Partial<NewMail> = {}) =>
        commit(context, (unit) =>
          enqueueMail(context, unit, { kind: 'note.added', recipient: 'ann@example.com', ...mail }),
        ),
    },
  }),
} as const satisfies Feature

/** All features, and this one. */
export const withNotes = [...features, notes] as const
