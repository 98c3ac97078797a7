import { describeValue } from '@sealwax/jwt/internal'
import { type Config, invalidOption } from '../core/options.ts'
import type { AuthErrorCode } from '../errors.ts'

/** The pages to which the links in mails lead, named after the last segment of their path. */
export type PageName = 'verify-email' | 'reset-password' | 'undo-email-change' | 'invitation' | 'not-me'

/** The texts of one page. */
export interface PageText {
  /** The heading. */
  readonly title: string
  /** The text below it. */
  readonly text: string
  /** What the button says. */
  readonly button: string
  /** A second button, for pages that offer more than one thing. */
  readonly more?: string
  /** What the page says after the button was pressed. */
  readonly done: { readonly title: string; readonly text: string }
}

/** The texts of all pages in one language. */
export interface PageTexts {
  /** Each page. */
  readonly pages: Readonly<Record<PageName, PageText>>
  /** The label of the field for a new password. */
  readonly password: string
  /** Shown below the field; `{min}` stands for `passwordMinLength`. */
  readonly passwordHint: string
  /** Messages for the codes that users meet; the key `other` is for all others. */
  readonly errors: Readonly<Partial<Record<AuthErrorCode | 'other', string>>>
}

const en: PageTexts = {
  pages: {
    'verify-email': {
      title: 'Confirm your e-mail address',
      text: 'Press the button to confirm that this address is yours.',
      button: 'Confirm',
      done: { title: 'Thank you', text: 'Your e-mail address is confirmed. You can log in now.' },
    },
    'reset-password': {
      title: 'Choose a new password',
      text: 'All devices will be logged out.',
      button: 'Set the password',
      done: { title: 'Done', text: 'Your new password is set. Log in with it.' },
    },
    'undo-email-change': {
      title: 'Keep your previous address',
      text: 'Press the button to return to your previous e-mail address. All devices will be logged out, and you get a mail to choose a new password.',
      button: 'Return to this address',
      done: { title: 'Done', text: 'Your previous address is restored. Look for a mail to choose a new password.' },
    },
    'not-me': {
      title: 'This was not you?',
      text: 'The device is logged out within a second, and you get a mail to choose a new password. You can also log out all of your devices.',
      button: 'Log out this device',
      more: 'Log out all devices',
      done: { title: 'Done', text: 'Look for a mail to choose a new password.' },
    },
    invitation: {
      title: 'Create your account',
      text: 'You have been invited. Choose a password to create your account.',
      button: 'Create the account',
      done: { title: 'Welcome', text: 'Your account is ready. You can log in now.' },
    },
  },
  password: 'New password',
  passwordHint: 'At least {min} characters. A sentence is easy to remember.',
  errors: {
    one_time_token_invalid: 'This link is wrong, has expired, or was used already. Request a new one.',
    email_taken: 'This e-mail address is used by another account.',
    overloaded: 'Too many people are doing this at the moment. Try again shortly.',
    temporarily_unavailable: 'This is not possible at the moment. Try again shortly.',
    password_too_short: 'This password is too short.',
    password_too_long: 'This password is too long.',
    password_too_common: 'This password is too common. Choose another one.',
    password_too_personal: 'This password contains your address, your name or the name of this site.',
    password_breached: 'This password is known from a data breach. Choose another one.',
    too_many_attempts: 'Too many attempts. Try again later.',
    other: 'This did not work. Try again, or request a new link.',
  },
}

const de: PageTexts = {
  pages: {
    'verify-email': {
      title: 'E-Mail-Adresse bestätigen',
      text: 'Drücken Sie den Knopf, um zu bestätigen, dass diese Adresse Ihnen gehört.',
      button: 'Bestätigen',
      done: { title: 'Vielen Dank', text: 'Ihre E-Mail-Adresse ist bestätigt. Sie können sich jetzt anmelden.' },
    },
    'reset-password': {
      title: 'Neues Passwort wählen',
      text: 'Alle Geräte werden abgemeldet.',
      button: 'Passwort setzen',
      done: { title: 'Fertig', text: 'Ihr neues Passwort ist gesetzt. Melden Sie sich damit an.' },
    },
    'undo-email-change': {
      title: 'Frühere Adresse behalten',
      text: 'Drücken Sie den Knopf, um zu Ihrer früheren E-Mail-Adresse zurückzukehren. Alle Geräte werden abgemeldet, und Sie erhalten eine E-Mail, mit der Sie ein neues Passwort wählen.',
      button: 'Zu dieser Adresse zurückkehren',
      done: {
        title: 'Fertig',
        text: 'Ihre frühere Adresse gilt wieder. Sie erhalten eine E-Mail, mit der Sie ein neues Passwort wählen.',
      },
    },
    'not-me': {
      title: 'Das waren Sie nicht?',
      text: 'Das Gerät wird sofort abgemeldet, und Sie erhalten eine E-Mail, mit der Sie ein neues Passwort wählen. Sie können auch alle Ihre Geräte abmelden.',
      button: 'Dieses Gerät abmelden',
      more: 'Alle Geräte abmelden',
      done: { title: 'Fertig', text: 'Sie erhalten eine E-Mail, mit der Sie ein neues Passwort wählen.' },
    },
    invitation: {
      title: 'Konto anlegen',
      text: 'Sie sind eingeladen. Wählen Sie ein Passwort, um Ihr Konto anzulegen.',
      button: 'Konto anlegen',
      done: { title: 'Willkommen', text: 'Ihr Konto ist bereit. Sie können sich jetzt anmelden.' },
    },
  },
  password: 'Neues Passwort',
  passwordHint: 'Mindestens {min} Zeichen. Ein Satz ist leicht zu merken.',
  errors: {
    one_time_token_invalid: 'Dieser Link ist falsch, abgelaufen oder schon benutzt. Fordern Sie einen neuen an.',
    email_taken: 'Diese E-Mail-Adresse gehört zu einem anderen Konto.',
    overloaded: 'Das tun gerade zu viele gleichzeitig. Versuchen Sie es gleich noch einmal.',
    temporarily_unavailable: 'Das ist im Moment nicht möglich. Versuchen Sie es gleich noch einmal.',
    password_too_short: 'Dieses Passwort ist zu kurz.',
    password_too_long: 'Dieses Passwort ist zu lang.',
    password_too_common: 'Dieses Passwort ist zu häufig. Wählen Sie ein anderes.',
    password_too_personal: 'Dieses Passwort enthält Ihre Adresse, Ihren Namen oder den Namen dieser Seite.',
    password_breached: 'Dieses Passwort ist aus einem Datenleck bekannt. Wählen Sie ein anderes.',
    too_many_attempts: 'Zu viele Versuche. Versuchen Sie es später noch einmal.',
    other: 'Das hat nicht geklappt. Versuchen Sie es noch einmal, oder fordern Sie einen neuen Link an.',
  },
}

/** The texts by language, without those of the option `pageTexts`. */
export const SHIPPED_PAGE_TEXTS = { en, de } as const

/**
 * Returns the texts in the first language of the header `Accept-Language` that is available.
 *
 * @param config `pageTexts` replaces what is shipped, by language; `mailLanguage` is for readers of
 * other languages
 */
export function findPageTexts(
  acceptLanguage: string | undefined,
  { pageTexts, mailLanguage }: Pick<Config, 'pageTexts' | 'mailLanguage'>,
): { readonly language: string; readonly texts: PageTexts } {
  const available: Readonly<Record<string, PageTexts>> = { ...SHIPPED_PAGE_TEXTS, ...pageTexts }
  const wanted = (acceptLanguage ?? '').split(',').map((entry) => entry.replace(/;.*/, '').trim().toLowerCase())
  const candidates = [...wanted, mailLanguage].flatMap((tag) => [tag, tag.replace(/-.*/, '')])
  const language = candidates.find((tag) => Object.hasOwn(available, tag)) ?? 'en'
  return { language, texts: available[language] ?? en }
}

/** Checks the option `pageTexts`: each language must have every text of the English ones. */
export function checkPageTexts(value: unknown): Readonly<Record<string, PageTexts>> {
  const allowed = 'be an object of languages, each with pages, password, passwordHint and errors'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidOption('pageTexts', allowed, describeValue(value))
  }
  for (const [language, texts] of Object.entries(value)) {
    const missing = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(language) ? findMissing(en, texts, language) : language
    if (missing !== undefined) throw invalidOption('pageTexts', allowed, `none or another at ${missing.slice(0, 64)}`)
  }
  return value as Readonly<Record<string, PageTexts>>
}

/** Returns the path of the first text that is missing or no string. */
function findMissing(model: object, texts: unknown, path: string): string | undefined {
  if (typeof texts !== 'object' || texts === null) return path
  const unknown = Object.keys(texts).find((name) => !Object.hasOwn(model, name))
  if (unknown !== undefined) return `${path}.${unknown}`
  for (const [name, text] of Object.entries(model)) {
    const given: unknown = (texts as Record<string, unknown>)[name]
    const missing =
      typeof text === 'object'
        ? findMissing(text, given, `${path}.${name}`)
        : typeof given === 'string'
          ? undefined
          : `${path}.${name}`
    if (missing !== undefined) return missing
  }
  return undefined
}
