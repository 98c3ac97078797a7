import type { ConsoleMessage, Page, Request } from 'playwright-core'

/** What a page must not do, seen by the browser. */
export interface PageWatch {
  /** Throws if anything has gone wrong since the last call. */
  check(where: string): void
}

/**
 * A browser reports each refused request as an error. These are expected: the lesson shows
 * refusals.
 */
const REFUSED = /^Failed to load resource: the server responded with a status of (400|401|403|415) /

/**
 * Watches for errors and warnings in the console, exceptions, violations of the
 * Content-Security-Policy, and requests to any other host.
 */
export async function watchPage(page: Page): Promise<PageWatch> {
  const problems: string[] = []
  await page.exposeFunction('reportViolation', (text: string) => problems.push(`CSP: ${text}`))
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, documentURI }) => {
      const { reportViolation } = globalThis as unknown as { reportViolation(text: string): void }
      reportViolation(`${documentURI}: ${effectiveDirective} blocked ${blockedURI}`)
    })
  })
  page.on('console', (message: ConsoleMessage) => {
    const isProblem = message.type() === 'error' || message.type() === 'warning'
    if (isProblem && !REFUSED.test(message.text())) problems.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`))
  page.on('request', (request: Request) => {
    const { protocol, hostname } = new URL(request.url())
    const isOwn = hostname === '127.0.0.1' || hostname === 'localhost'
    if (protocol !== 'blob:' && protocol !== 'data:' && !isOwn) problems.push(`request: ${request.url()}`)
  })
  return {
    check(where) {
      const found = problems.splice(0)
      if (found.length > 0) throw new Error(`${where}:\n  ${found.join('\n  ')}`)
    },
  }
}
