import { isLoopback } from '@sealwax/jwt/internal'
import { type AuthOptions, type OptionRules, trueOrFalse } from '../core/options.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /**
     * Serves the token inspector at `/inspect`: a page that decodes and checks tokens and sends
     * nothing. Default: true for a loopback issuer, false otherwise.
     */
    readonly inspector?: boolean
  }
  interface Config {
    readonly inspector: boolean
  }
}

export const pageOptions: OptionRules = {
  inspector: trueOrFalse('inspector', ({ issuer }: AuthOptions) => isLoopback(new URL(issuer).hostname)),
}
