import { describeValue, isLoopback } from '@sealwax/jwt/internal'
import {
  type AuthOptions,
  callback,
  invalidOption,
  numberOrText,
  type OptionRules,
  oneOf,
  text,
  trueOrFalse,
} from '../core/options.ts'
import type { BeforeRegister, CheckAttributes } from './application-hooks.ts'
import { checkPageTexts, type PageTexts } from './page-texts.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /**
     * Who may sign up. `open`: anyone, who is logged in at once. `verified`: anyone, once a mail to
     * the address is answered; nobody can find out which addresses have an account. `invited`: who
     * has an invitation. `closed`: nobody. Default 'open', or 'closed' when `loadSubject` is given.
     */
    readonly registration?: Registration
    /**
     * Whether built-in users get a mail about log-ins on new devices, changes of the password, and
     * sessions that are used from another network. Default true.
     */
    readonly securityMails?: boolean
    /**
     * The texts of the pages to which links in mails lead, by language (`fr`, `pt-br`). They
     * replace what is shipped for this language. Shipped: `en`, `de`.
     */
    readonly pageTexts?: Readonly<Record<string, PageTexts>>
    /**
     * Called before a user signs up, without the password. Returns a sentence for the client to
     * refuse it (`registration_refused`), or undefined. Default: everybody may sign up.
     */
    readonly beforeRegister?: BeforeRegister
    /**
     * Called with the attributes that a user wants to store, and the user as stored until now.
     * Returns a sentence for the client to refuse them (`attributes_invalid`), or undefined.
     * Default: all are accepted.
     */
    readonly checkAttributes?: CheckAttributes
    /**
     * How many characters a new password must have. Default 15, at least 8. Less than 15 is enough
     * only where a second factor is required (NIST SP 800-63B-4).
     */
    readonly passwordMinLength?: number
    /**
     * The URL of a service that lists breached passwords by range, such as
     * `https://api.pwnedpasswords.com/range`. It gets five hexadecimal digits of the SHA-1 of a new
     * password. Default: none is asked.
     */
    readonly passwordBreachUrl?: string
  }
  interface Config {
    readonly registration: Registration
    readonly securityMails: boolean
    readonly pageTexts: Readonly<Record<string, PageTexts>>
    readonly beforeRegister: BeforeRegister
    readonly checkAttributes: CheckAttributes
    readonly passwordMinLength: number
    readonly passwordBreachUrl: string | undefined
  }
}

/** Who may sign up. */
type Registration = 'open' | 'verified' | 'invited' | 'closed'

export const accountOptions: OptionRules = {
  securityMails: trueOrFalse('securityMails', true),
  // An application with its own users does not expect strangers to sign up here.
  registration: oneOf('registration', ['open', 'verified', 'invited', 'closed'], (given: AuthOptions) =>
    Object.hasOwn(given, 'loadSubject') ? 'closed' : 'open',
  ),
  pageTexts: { fallback: {}, check: checkPageTexts },
  beforeRegister: { ...callback('beforeRegister'), fallback: () => acceptAll },
  checkAttributes: { ...callback('checkAttributes'), fallback: () => acceptAll },
  passwordMinLength: {
    fallback: 15,
    parse: numberOrText,
    check(value) {
      if (Number.isInteger(value) && (value as number) >= 8 && (value as number) <= 64) return value
      throw invalidOption('passwordMinLength', 'be a whole number from 8 to 64', describeValue(value))
    },
  },
  passwordBreachUrl: { check: checkBreachUrl, parse: text },
}

/** The URL is not repeated in messages: it may contain a key. */
function checkBreachUrl(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (url !== undefined && isSecure && url.username + url.password + url.search + url.hash === '') {
    return url.href.replace(/\/$/, '')
  }
  const allowed = 'be an https URL, or http on loopback, without user, query and fragment'
  throw invalidOption('passwordBreachUrl', allowed, url === undefined ? describeValue(value) : 'another URL')
}

/** The default of both. */
function acceptAll(): undefined {}
