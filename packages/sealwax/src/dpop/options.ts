import { checkUrl } from '../core/core-options.ts'
import { type AuthOptions, invalidOption, type OptionRules, words } from '../core/options.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /**
     * The URL under which clients reach the routes that `auth.guard` guards, or several: the proofs
     * of tokens that are bound to a key (DPoP) are for URLs below it. Default: the origin of
     * `issuer`.
     */
    readonly apiUrl?: string | readonly string[]
  }
  interface Config {
    readonly apiUrl: readonly string[]
  }
}

export const dpopOptions: OptionRules = {
  apiUrl: {
    fallback: ({ issuer }: AuthOptions) => new URL(issuer).origin,
    parse: words,
    check(value) {
      const urls: unknown[] = [value].flat()
      if (urls.length === 0) throw invalidOption('apiUrl', 'be a URL or a list of URLs', 'an empty list')
      return Object.freeze(urls.map((url) => checkUrl('apiUrl', url)))
    },
  },
}
