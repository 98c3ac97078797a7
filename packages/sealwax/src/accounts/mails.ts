import { commit, type Unit } from '../core/unit-of-work.ts'
import { type ComposedMail, LIMITS_FOR_NOTICES, LIMITS_FOR_STRANGERS, type MailKind } from '../mail/kinds.ts'
import { accountMailTexts } from './mail-texts.ts'
import { issueToken, type NewToken } from './one-time-tokens.ts'
import type { Purpose } from './one-time-tokens-contract.ts'
import type { PageName } from './page-texts.ts'

type Data = Readonly<Record<string, unknown>>

/**
 * Returns the token that a mail needs, in the transaction that stores it; undefined when the mail
 * is no longer needed.
 */
type TokenFor = (unit: Unit, data: Data, recipient: string, now: number) => Promise<NewToken | undefined>

/** A kind of mail with a link. A new token is issued whenever the mail is about to be sent. */
function linked(
  name: keyof typeof accountMailTexts,
  values: readonly string[],
  page: PageName,
  tokenFor: TokenFor,
): MailKind {
  return {
    texts: accountMailTexts[name],
    values,
    async compose(context, data, recipient) {
      const issued = await commit(context, async (unit) => {
        const token = await tokenFor(unit, data, recipient, context.now())
        return token && (await issueToken(context, unit, token))
      })
      if (issued === undefined) return undefined
      const link = `${context.config.publicUrl}/account/${page}?token=${issued.token}`
      return { to: recipient, values: { ...shown(data), link, code: issued.code } }
    },
  }
}

/** Where and when something happened, from the data of a mail. */
function shown(data: Data): ComposedMail['values'] {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const time = typeof data.time === 'number' ? formatTime(data.time) : undefined
  return { ip: text(data.ip), device: text(data.device), time }
}

/** A time to the minute, in UTC, since the zone of the reader is unknown. */
function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Issues the stored token anew, if it is still there: it was stored without being sent. */
function stored(purpose: Purpose): TokenFor {
  return async (unit, data, recipient, now) => {
    const holder = typeof data.holder === 'string' ? data.holder : recipient
    const row = await unit.oneTimeTokens.byHolder(purpose, holder, now)
    if (row === undefined || row.email !== recipient) return undefined
    // A long life begins when it is granted, a short one when the mail is sent.
    const keepsExpiry = purpose === 'undo-email-change' || purpose === 'invite'
    return { purpose, holder, email: recipient, data: row.data, ...(keepsExpiry && { expiresAt: row.expires_at }) }
  }
}

/** The token of a mail that asks whether something was the user. */
const notMe: TokenFor = async (unit, data, recipient) => {
  const { subject, sessionId, time } = data
  const user = typeof subject === 'string' ? await unit.users.byId(subject) : undefined
  if (user === undefined) return undefined
  const holder = `${user.id} ${sessionId ?? time}`
  return { purpose: 'not-me', holder, email: recipient, data: { subject: user.id, sessionId } }
}

/** The values of mails that somebody has requested, and of notices. */
const REQUESTED = ['link', 'code', 'ip']
const NOTICED = ['link', 'time', 'ip', 'device']

const strangers = { limits: LIMITS_FOR_STRANGERS }

/** The mails about accounts. */
export const accountMails: Readonly<Record<keyof typeof accountMailTexts, MailKind>> = {
  'verify-registration': {
    ...linked('verify-registration', REQUESTED, 'verify-email', stored('register')),
    ...strangers,
  },
  'verify-email': {
    ...linked('verify-email', REQUESTED, 'verify-email', async (unit, _, email, now) => {
      const user = await unit.users.byEmail(email)
      if (user !== undefined) {
        const waits = user.email_verified_at === null && user.disabled_at === null
        return waits ? { purpose: 'verify-email', holder: user.id, email } : undefined
      }
      const waiting = await unit.oneTimeTokens.byEmail(email, ['register'], now)
      const latest = waiting.find(({ data }) => data.taken !== true)
      return latest && { purpose: 'register', holder: latest.holder, email, data: latest.data }
    }),
    ...strangers,
  },
  'address-taken': {
    texts: accountMailTexts['address-taken'],
    values: ['ip'],
    compose: async (_context, data, recipient) => ({ to: recipient, values: shown(data) }),
    ...strangers,
  },
  'reset-password': {
    ...linked('reset-password', REQUESTED, 'reset-password', async (unit, _, email) => {
      const user = await unit.users.byEmail(email)
      const may = user !== undefined && user.disabled_at === null
      return may ? { purpose: 'reset-password', holder: user.id, email } : undefined
    }),
    ...strangers,
  },
  'change-email': { ...linked('change-email', REQUESTED, 'verify-email', stored('change-email')), ...strangers },
  'email-changed': linked('email-changed', ['link', 'time'], 'undo-email-change', stored('undo-email-change')),
  'password-changed': { ...linked('password-changed', ['link', 'time'], 'not-me', notMe), limits: LIMITS_FOR_NOTICES },
  'new-device': { ...linked('new-device', NOTICED, 'not-me', notMe), limits: LIMITS_FOR_NOTICES },
  'session-forked': { ...linked('session-forked', NOTICED, 'not-me', notMe), limits: LIMITS_FOR_NOTICES },
  invitation: linked('invitation', ['link'], 'invitation', stored('invite')),
}
