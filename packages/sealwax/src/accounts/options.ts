import { type AuthOptions, type OptionRules, oneOf } from '../core/options.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /** Whether anyone may sign up. Default 'open', or 'closed' when `loadSubject` is given. */
    readonly registration?: 'open' | 'closed'
  }
  interface Config {
    readonly registration: 'open' | 'closed'
  }
}

export const accountOptions: OptionRules = {
  // An application with its own users does not expect strangers to sign up here.
  registration: oneOf('registration', ['open', 'closed'], (given: AuthOptions) =>
    Object.hasOwn(given, 'loadSubject') ? 'closed' : 'open',
  ),
}
