import type { MailKind } from '../mail/kinds.ts'

type Texts = MailKind['texts']

const CODE_EN = 'Or enter this code in the app:'
const CODE_DE = 'Oder geben Sie diesen Code in der App ein:'
const IGNORE_EN = 'If this was not you, ignore this mail. Nothing has changed.'
const IGNORE_DE = 'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail. Es hat sich nichts geändert.'
const LIFE_EN = 'Link and code are valid for 30 minutes and work once.'
const LIFE_DE = 'Link und Code gelten 30 Minuten und nur einmal.'
const WHERE_EN = 'Requested from the address {ip}.'
const WHERE_DE = 'Angefordert von der Adresse {ip}.'

/** The texts of the mails about accounts. */
export const accountMailTexts = {
  'verify-registration': {
    en: {
      subject: 'Confirm your address for {app}',
      paragraphs: [
        'Somebody, hopefully you, has signed up for {app} with this address. Confirm it to create the account.',
        '{link}',
        CODE_EN,
        '{code}',
        LIFE_EN,
        WHERE_EN,
        'If you have not signed up, ignore this mail: without the confirmation there is no account.',
      ],
      button: 'Confirm the address',
    },
    de: {
      subject: 'Bestätigen Sie Ihre Adresse für {app}',
      paragraphs: [
        'Jemand, hoffentlich Sie, hat sich mit dieser Adresse bei {app} registriert. Bestätigen Sie sie, um das Konto anzulegen.',
        '{link}',
        CODE_DE,
        '{code}',
        LIFE_DE,
        WHERE_DE,
        'Wenn Sie sich nicht registriert haben, ignorieren Sie diese E-Mail: Ohne Bestätigung gibt es kein Konto.',
      ],
      button: 'Adresse bestätigen',
    },
  },
  'verify-email': {
    en: {
      subject: 'Confirm your address for {app}',
      paragraphs: ['Confirm that this address is yours.', '{link}', CODE_EN, '{code}', LIFE_EN, WHERE_EN, IGNORE_EN],
      button: 'Confirm the address',
    },
    de: {
      subject: 'Bestätigen Sie Ihre Adresse für {app}',
      paragraphs: [
        'Bestätigen Sie, dass diese Adresse Ihnen gehört.',
        ...['{link}', CODE_DE, '{code}', LIFE_DE, WHERE_DE, IGNORE_DE],
      ],
      button: 'Adresse bestätigen',
    },
  },
  'address-taken': {
    en: {
      subject: 'You already have an account at {app}',
      paragraphs: [
        'Somebody, perhaps you, wanted to use this address for an account at {app}. There is one already: log in, or choose a new password if you have forgotten yours.',
        WHERE_EN,
        IGNORE_EN,
      ],
    },
    de: {
      subject: 'Sie haben schon ein Konto bei {app}',
      paragraphs: [
        'Jemand, vielleicht Sie, wollte diese Adresse für ein Konto bei {app} verwenden. Es gibt schon eines: Melden Sie sich an, oder wählen Sie ein neues Passwort, wenn Sie Ihres vergessen haben.',
        WHERE_DE,
        IGNORE_DE,
      ],
    },
  },
  'reset-password': {
    en: {
      subject: 'Choose a new password for {app}',
      paragraphs: [
        'A new password was requested for your account at {app}.',
        ...['{link}', CODE_EN, '{code}', LIFE_EN, WHERE_EN, IGNORE_EN],
      ],
      button: 'Choose a new password',
    },
    de: {
      subject: 'Wählen Sie ein neues Passwort für {app}',
      paragraphs: [
        'Für Ihr Konto bei {app} wurde ein neues Passwort angefordert.',
        ...['{link}', CODE_DE, '{code}', LIFE_DE, WHERE_DE, IGNORE_DE],
      ],
      button: 'Neues Passwort wählen',
    },
  },
  'change-email': {
    en: {
      subject: 'Confirm your new address for {app}',
      paragraphs: [
        'Your account at {app} is to have this address from now on. Confirm it to apply the change.',
        ...['{link}', CODE_EN, '{code}', LIFE_EN, WHERE_EN, IGNORE_EN],
      ],
      button: 'Confirm the address',
    },
    de: {
      subject: 'Bestätigen Sie Ihre neue Adresse für {app}',
      paragraphs: [
        'Ihr Konto bei {app} soll von jetzt an diese Adresse haben. Bestätigen Sie sie, damit die Änderung gilt.',
        ...['{link}', CODE_DE, '{code}', LIFE_DE, WHERE_DE, IGNORE_DE],
      ],
      button: 'Adresse bestätigen',
    },
  },
  'email-changed': {
    en: {
      subject: 'Your address at {app} has changed',
      paragraphs: [
        'On {time}, your account at {app} got another e-mail address. Mails no longer go to this one.',
        'If this was not you, return to this address. The link works for 72 hours. All devices are logged out, and you choose a new password.',
        '{link}',
      ],
      button: 'Return to this address',
    },
    de: {
      subject: 'Ihre Adresse bei {app} hat sich geändert',
      paragraphs: [
        'Am {time} hat Ihr Konto bei {app} eine andere E-Mail-Adresse bekommen. An diese hier gehen keine E-Mails mehr.',
        'Wenn Sie das nicht waren, kehren Sie zu dieser Adresse zurück. Der Link gilt 72 Stunden. Alle Geräte werden abgemeldet, und Sie wählen ein neues Passwort.',
        '{link}',
      ],
      button: 'Zu dieser Adresse zurückkehren',
    },
  },
  'password-changed': {
    en: {
      subject: 'Your password at {app} has changed',
      paragraphs: [
        'On {time}, the password of your account at {app} was changed.',
        'If this was not you, press the button: all devices are logged out, and you get a mail to choose a new password.',
        '{link}',
      ],
      button: 'This was not me',
    },
    de: {
      subject: 'Ihr Passwort bei {app} hat sich geändert',
      paragraphs: [
        'Am {time} wurde das Passwort Ihres Kontos bei {app} geändert.',
        'Wenn Sie das nicht waren, drücken Sie den Knopf: Alle Geräte werden abgemeldet, und Sie erhalten eine E-Mail, mit der Sie ein neues Passwort wählen.',
        '{link}',
      ],
      button: 'Das war ich nicht',
    },
  },
  'new-device': {
    en: {
      subject: 'New log-in at {app}',
      paragraphs: [
        'On {time}, somebody logged in to your account at {app} on a device that we have not seen before.',
        'Address: {ip}',
        'Program: {device}',
        'If this was you, there is nothing to do. If not, press the button: this device is logged out, and you get a mail to choose a new password.',
        '{link}',
      ],
      button: 'This was not me',
    },
    de: {
      subject: 'Neue Anmeldung bei {app}',
      paragraphs: [
        'Am {time} hat sich jemand auf einem Gerät, das wir noch nicht kennen, bei Ihrem Konto bei {app} angemeldet.',
        'Adresse: {ip}',
        'Programm: {device}',
        'Wenn Sie das waren, ist nichts zu tun. Wenn nicht, drücken Sie den Knopf: Das Gerät wird abgemeldet, und Sie erhalten eine E-Mail, mit der Sie ein neues Passwort wählen.',
        '{link}',
      ],
      button: 'Das war ich nicht',
    },
  },
  'session-forked': {
    en: {
      subject: 'Your session at {app} is used elsewhere',
      paragraphs: [
        'On {time}, one of your sessions at {app} was also used from another network. That happens when you travel or change networks; it also happens when somebody has copied it.',
        'Address: {ip}',
        'Program: {device}',
        'If this was not you, press the button: the session is ended everywhere, and you get a mail to choose a new password.',
        '{link}',
      ],
      button: 'This was not me',
    },
    de: {
      subject: 'Ihre Sitzung bei {app} wird auch anderswo benutzt',
      paragraphs: [
        'Am {time} wurde eine Ihrer Sitzungen bei {app} auch aus einem anderen Netz benutzt. Das kommt vor, wenn Sie unterwegs sind oder das Netz wechseln, aber auch, wenn jemand sie kopiert hat.',
        'Adresse: {ip}',
        'Programm: {device}',
        'Wenn Sie das nicht waren, drücken Sie den Knopf: Die Sitzung wird überall beendet, und Sie erhalten eine E-Mail, mit der Sie ein neues Passwort wählen.',
        '{link}',
      ],
      button: 'Das war ich nicht',
    },
  },
  invitation: {
    en: {
      subject: 'Your invitation to {app}',
      paragraphs: [
        'You have been invited to create an account at {app}.',
        '{link}',
        'The link is valid for seven days and works once.',
      ],
      button: 'Create the account',
    },
    de: {
      subject: 'Ihre Einladung zu {app}',
      paragraphs: [
        'Sie sind eingeladen, ein Konto bei {app} anzulegen.',
        '{link}',
        'Der Link gilt sieben Tage und nur einmal.',
      ],
      button: 'Konto anlegen',
    },
  },
} as const satisfies Readonly<Record<string, Texts>>
