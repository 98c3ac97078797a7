import type { Received } from '../test/mailbox.ts'
import type { Act, MailWorld } from './accounts.ts'
import { idOf, rows, tokenIn } from './outbox.ts'
import type { Run } from './run.ts'

/** The notice that belongs to an effect is part of its transaction: exactly one is delivered. */
export function checkNotices(run: Run, { account, step, from, effect }: Act, mails: readonly Received[]): void {
  if (!effect || (step !== 'reset' && step !== 'confirm-move')) return
  const notices = mails.filter((mail) =>
    step === 'reset'
      ? mail.to === account.email && tokenIn(mail, 'not-me') !== undefined && /password/i.test(mail.subject)
      : mail.to === from.email && tokenIn(mail, 'undo-email-change') !== undefined,
  )
  const different = new Set(notices.map(idOf)).size
  run.check(different === 1, `${step} of ${account.name}: ${different} different notices instead of one`)
  run.count('notices of effects')
}

/** Nobody is there twice, and nobody but those whose sign-up or invitation had its effect. */
export async function onlyTheseUsers({ run, databaseUrl }: MailWorld, expected: readonly string[]): Promise<void> {
  const found = (await rows(databaseUrl, 'email, email_verified_at', 'users')).toSorted((a, b) =>
    String(a.email) < String(b.email) ? -1 : 1,
  )
  const addresses = JSON.stringify(found.map(({ email }) => email))
  const wanted = JSON.stringify(expected.toSorted())
  run.check(addresses === wanted, `the users are ${addresses} instead of ${wanted}`)
  const unverified = found.filter((user) => user.email_verified_at === null).map(({ email }) => email)
  run.check(unverified.length === 0, `users without a verified address: ${unverified.join(', ')}`)
  run.count('users found at the end', found.length)
}
