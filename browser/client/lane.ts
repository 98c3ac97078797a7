import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Fault } from '../../packages/client/test/faulty-proxy.ts'
import { type Place, startPlace } from '../../packages/client/test/place.ts'

export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE

/** Where the refresh token is, and whether the tabs can hear each other. */
export interface Kind {
  readonly mode: 'cookie' | 'token'
  readonly silent: boolean
}

/** A server, and the tabs of one browser profile. */
export interface Lane extends AsyncDisposable {
  readonly place: Place
  /** Those that show the page, in the order in which they were opened. */
  readonly tabs: readonly Page[]
  readonly kind: Kind
  readonly context: BrowserContext
  /** Starts with a new profile, whose pages send proofs or not. */
  start(withProofs: boolean): Promise<void>
  /** Opens or closes tabs. */
  setTabs(count: number): Promise<void>
  /** Opens one more tab. */
  openTab(): Promise<Page>
  /** Opens the page again in a tab. */
  show(tab: Page): Promise<void>
  /**
   * Lets time pass. With `asleep`, the monotonic clock of the pages stands still, as it does on
   * some systems.
   */
  pass(milliseconds: number, asleep?: boolean): Promise<void>
  /** Decides about the requests of some paths until the next call without arguments. */
  disturb(decide?: (path: string) => Fault | undefined): void
  /** Runs something in all tabs at once. */
  all<T>(run: (tab: Page) => Promise<T>): Promise<T[]>
}

const SCRIPT = '/page.js'

export async function openLane(browser: Browser, kind: Kind): Promise<Lane> {
  const script = await bundle()
  const place = await startPlace()
  const tabs: Page[] = []
  let context = await browser.newContext()
  let proofs = ''
  let decide: (path: string) => Fault | undefined = () => undefined
  place.proxy.decide = ({ path: whole }) => {
    const path = whole.split('?')[0] as string
    if (path === SCRIPT) return { status: 200, headers: { 'Content-Type': 'text/javascript' }, body: script }
    if (path === '/page') return html(`<title>Client</title><script src="${SCRIPT}"></script>`)
    if (path === '/elsewhere') return html('<title>Elsewhere</title>')
    if (path === '/favicon.ico') return { status: 204 }
    return decide(path)
  }

  const lane: Lane = {
    place,
    tabs,
    kind,
    get context() {
      return context
    },
    async start(withProofs) {
      proofs = withProofs ? '&dpop' : ''
      await context.close()
      tabs.splice(0)
      context = await browser.newContext()
    },
    async setTabs(count) {
      while (tabs.length < count) await lane.openTab()
      await Promise.all(tabs.splice(count).map((tab) => tab.close()))
    },
    async openTab() {
      const tab = await context.newPage()
      await lane.show(tab)
      tabs.push(tab)
      return tab
    },
    async show(tab) {
      await tab.goto(`${place.url}/page?mode=${kind.mode}${kind.silent ? '&silent' : ''}${proofs}`)
    },
    async pass(milliseconds, asleep = false) {
      await untilQuiet(lane)
      place.clock.ahead += milliseconds
      if (!asleep)
        await lane.all((tab) => tab.evaluate((monotonic) => globalThis.tab.move({ monotonic }), milliseconds))
    },
    disturb: (next = () => undefined) => {
      decide = next
    },
    all: (run) => Promise.all(tabs.map(run)),
    async [Symbol.asyncDispose]() {
      await context.close()
      await place[Symbol.asyncDispose]()
    },
  }
  return lane
}

/**
 * Waits until no request is in flight, and all tabs read the same from the storage. What one tab
 * writes, another one may read a few milliseconds later; what one confirms, the server knows at
 * once. If the clock moved between the two, it would seem to be hours.
 */
async function untilQuiet(lane: Lane): Promise<void> {
  const { proxy } = lane.place
  for (let tries = 0; tries < 100; tries += 1) {
    const { length } = proxy.seen
    if (proxy.open === 0 && (await readTheSame(lane))) {
      await delay(20)
      if (proxy.open === 0 && proxy.seen.length === length && (await readTheSame(lane))) return
    }
    await delay(20)
  }
  throw new Error('the tabs do not come to rest, or do not read the same from the storage')
}

async function readTheSame(lane: Lane): Promise<boolean> {
  const stored = await lane.all((tab) =>
    tab.evaluate(() => {
      try {
        const keys = Object.keys(localStorage).filter((key) => key.startsWith('sealwax.'))
        return JSON.stringify(keys.sort().map((key) => [key, localStorage.getItem(key)]))
      } catch {
        return undefined
      }
    }),
  )
  return new Set(stored.filter((text) => text !== undefined)).size <= 1
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.ts')],
    ...{ bundle: true, write: false, format: 'iife', target: 'es2022', conditions: ['@sealwax/source'] },
  })
  return outputFiles[0]?.text as string
}

function html(content: string): Fault {
  return { status: 200, headers: { 'Content-Type': 'text/html' }, body: `<!doctype html>${content}` }
}
