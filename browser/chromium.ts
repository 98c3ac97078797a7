import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const path = process.env.SEALWAX_CHROMIUM ?? '/usr/bin/chromium'

/** Why tests in a browser cannot run; undefined if one is installed. */
export const withoutChromium = existsSync(path)
  ? undefined
  : `${path} does not exist (Debian: apt-get install chromium; elsewhere set SEALWAX_CHROMIUM)`

/** Nothing that asks the internet, and no GPU. */
const ARGUMENTS = [
  ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
]

/** Starts Chromium. */
export function launchChromium(): Promise<Browser> {
  // Chromium does not start its sandbox as root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({
    executablePath: path,
    args: [...ARGUMENTS, ...sandbox],
    // Playwright turns the cache off. `goBack` then needs `waitUntil: 'commit'`.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
}
