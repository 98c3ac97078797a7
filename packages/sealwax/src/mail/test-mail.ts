import type { MailKind } from './kinds.ts'

/** `sealwax mail test` and `auth.mail.test`. */
const testMail: MailKind = {
  values: ['time'],
  texts: {
    en: {
      subject: 'Mail from {app} works',
      paragraphs: [
        'This is a test of the mail settings of {app}. It was sent at {time}.',
        'If you did not ask for it, you can ignore it.',
      ],
    },
    de: {
      subject: 'E-Mail von {app} funktioniert',
      paragraphs: [
        'Mit dieser Nachricht werden die E-Mail-Einstellungen von {app} geprüft. Sie wurde um {time} gesendet.',
        'Wenn Sie sie nicht angefordert haben, können Sie sie ignorieren.',
      ],
    },
  },
  compose: async (context, _data, recipient) => ({
    to: recipient,
    values: { time: `${new Date(context.now()).toISOString().slice(0, 19)}Z` },
  }),
}

/** The kinds of mail that belong to no other feature. */
export const mails: { readonly 'mail.test': MailKind } = { 'mail.test': testMail }
