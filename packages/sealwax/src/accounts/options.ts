import { describeValue } from '@sealwax/jwt/internal'
import { type AuthOptions, callback, invalidOption, type OptionRules, oneOf } from '../core/options.ts'
import type { BeforeRegister, CheckAttributes } from './application-hooks.ts'

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
  }
  interface Config {
    readonly registration: Registration
    readonly securityMails: boolean
    readonly beforeRegister: BeforeRegister
    readonly checkAttributes: CheckAttributes
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
  beforeRegister: { ...callback('beforeRegister'), fallback: () => acceptAll },
  checkAttributes: { ...callback('checkAttributes'), fallback: () => acceptAll },
}

/** The default of both. */
function acceptAll(): undefined {}
