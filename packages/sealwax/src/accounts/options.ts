import { describeValue, isLoopback } from '@sealwax/jwt/internal'
import { type AuthOptions, invalidOption, numberOrText, type OptionRules, oneOf, text } from '../core/options.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /** Whether anyone may sign up. Default 'open', or 'closed' when `loadSubject` is given. */
    readonly registration?: 'open' | 'closed'
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
    readonly registration: 'open' | 'closed'
    readonly passwordMinLength: number
    readonly passwordBreachUrl: string | undefined
  }
}

export const accountOptions: OptionRules = {
  // An application with its own users does not expect strangers to sign up here.
  registration: oneOf('registration', ['open', 'closed'], (given: AuthOptions) =>
    Object.hasOwn(given, 'loadSubject') ? 'closed' : 'open',
  ),
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
