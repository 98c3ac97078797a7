import { describeValue } from '@sealwax/jwt/internal'
import { type AuthOptions, invalidOption, type OptionRules, oneOf } from '../core/options.ts'

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
  }
  interface Config {
    readonly registration: Registration
    readonly securityMails: boolean
  }
}

/** Who may sign up. */
type Registration = 'open' | 'verified' | 'invited' | 'closed'

export const accountOptions: OptionRules = {
  securityMails: {
    fallback: true,
    parse: (value) => (value === 'true' ? true : value === 'false' ? false : value),
    check(value) {
      if (typeof value === 'boolean') return value
      throw invalidOption('securityMails', 'be true or false', describeValue(value))
    },
  },
  // An application with its own users does not expect strangers to sign up here.
  registration: oneOf('registration', ['open', 'verified', 'invited', 'closed'], (given: AuthOptions) =>
    Object.hasOwn(given, 'loadSubject') ? 'closed' : 'open',
  ),
}
