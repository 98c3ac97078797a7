import { type OptionRules, oneOf } from '../core/options.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /**
     * Who may read the revocation feed: anyone, or only API clients with the scope
     * `revocations:read`. Default 'public'.
     */
    readonly revocationFeed?: 'public' | 'clients'
  }
  interface Config {
    readonly revocationFeed: 'public' | 'clients'
  }
}

export const revocationOptions: OptionRules = {
  revocationFeed: oneOf('revocationFeed', ['public', 'clients'], 'public'),
}
