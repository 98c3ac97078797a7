import type { Browser } from 'playwright-core'

/** What a suite gets besides the browser. */
interface SuiteOptions {
  /** How often to repeat what is random. */
  readonly rounds: number
  /** Repeats the random choices of a run. */
  readonly seed: number
  /** Whether to run only a part that takes at most 15 seconds, as `npm test` does. */
  readonly short: boolean
  /** A folder for pictures of what was seen; undefined for none. */
  readonly screenshots?: string | undefined
  /** Prints a line. */
  readonly print: (line: string) => void
}

/** Tests in a real browser. */
export interface Suite {
  readonly name: string
  /** Rejects if something is wrong. Closes the pages and servers that it opened. */
  run(browser: Browser, options: SuiteOptions): Promise<void>
}
