import { type AuthOptions, callback, type OptionRules, oneOf } from '../core/options.ts'
import type { BeforeRegister, CheckAttributes } from './application-hooks.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /** Whether anyone may sign up. Default 'open', or 'closed' when `loadSubject` is given. */
    readonly registration?: 'open' | 'closed'
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
    readonly registration: 'open' | 'closed'
    readonly beforeRegister: BeforeRegister
    readonly checkAttributes: CheckAttributes
  }
}

export const accountOptions: OptionRules = {
  // An application with its own users does not expect strangers to sign up here.
  registration: oneOf('registration', ['open', 'closed'], (given: AuthOptions) =>
    Object.hasOwn(given, 'loadSubject') ? 'closed' : 'open',
  ),
  beforeRegister: { ...callback('beforeRegister'), fallback: () => acceptAll },
  checkAttributes: { ...callback('checkAttributes'), fallback: () => acceptAll },
}

/** The default of both. */
function acceptAll(): undefined {}
