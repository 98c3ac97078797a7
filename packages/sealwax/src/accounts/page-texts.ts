import type { AuthErrorCode } from '../errors.ts'

/** The pages to which the links in mails lead, named after the last segment of their path. */
export type PageName = 'verify-email' | 'reset-password' | 'undo-email-change' | 'invitation' | 'not-me'

/** The texts of one page. */
export interface PageText {
  readonly title: string
  readonly text: string
  readonly button: string
  /** A second button, for pages that offer more than one thing. */
  readonly more?: string
  /** What the page says after the button was pressed. */
  readonly done: { readonly title: string; readonly text: string }
}

/** The texts of all pages in one language. */
export interface PageTexts {
  readonly pages: Readonly<Record<PageName, PageText>>
  readonly password: string
  readonly passwordHint: (min: number) => string
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
  passwordHint: (min) => `At least ${min} characters. A sentence is easy to remember.`,
  errors: {
    one_time_token_invalid: 'This link is wrong, has expired, or was used already. Request a new one.',
    email_taken: 'This e-mail address is used by another account.',
    overloaded: 'Too many people are doing this at the moment. Try again shortly.',
    temporarily_unavailable: 'This is not possible at the moment. Try again shortly.',
    password_too_short: 'This password is too short.',
    password_too_long: 'This password is too long.',
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
  passwordHint: (min) => `Mindestens ${min} Zeichen. Ein Satz ist leicht zu merken.`,
  errors: {
    one_time_token_invalid: 'Dieser Link ist falsch, abgelaufen oder schon benutzt. Fordern Sie einen neuen an.',
    email_taken: 'Diese E-Mail-Adresse gehört zu einem anderen Konto.',
    overloaded: 'Das tun gerade zu viele gleichzeitig. Versuchen Sie es gleich noch einmal.',
    temporarily_unavailable: 'Das ist im Moment nicht möglich. Versuchen Sie es gleich noch einmal.',
    password_too_short: 'Dieses Passwort ist zu kurz.',
    password_too_long: 'Dieses Passwort ist zu lang.',
    other: 'Das hat nicht geklappt. Versuchen Sie es noch einmal, oder fordern Sie einen neuen Link an.',
  },
}

const LANGUAGES: Readonly<Record<string, PageTexts>> = { en, de }

/**
 * Returns the texts in the first language of the header `Accept-Language` that is available.
 *
 * @param fallback the language for readers of other languages
 */
export function pageTexts(
  acceptLanguage: string | undefined,
  fallback: string,
): { readonly language: string; readonly texts: PageTexts } {
  const wanted = (acceptLanguage ?? '').split(',').map((entry) => entry.trim().slice(0, 2).toLowerCase())
  const language = [...wanted, fallback].find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? 'en'
  return { language, texts: LANGUAGES[language] ?? en }
}
