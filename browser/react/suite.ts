import assert from 'node:assert/strict'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { renderApp } from '../../packages/client/test/react/render.ts'
import { toNodeHandler } from '../../packages/sealwax/src/http/node.ts'
import { listen, PASSWORD, startAuth } from '../../packages/sealwax/test/server.ts'
import type { Suite } from '../suite.ts'

/** A page with React, rendered by a server: who is logged in, in several tabs. */
export const react: Suite = {
  name: 'react',
  async run(browser) {
    await using site = await openSite()
    const context = await browser.newContext()
    try {
      await hydrates(browser, site)
      const [first, second] = [await openPage(site, context), await openPage(site, context)]
      await followsTabs(first, second, site)
      await findsServerAgain(first, site)
      assert.deepEqual([...first.complaints, ...second.complaints], [])
    } finally {
      await context.close()
    }
  },
}

type Site = Awaited<ReturnType<typeof openSite>>

/** An auth server, and a page of the same origin. */
async function openSite() {
  const own = await startAuth()
  await own.auth.users.create({ id: 'ann', email: 'ann@example.com', password: PASSWORD })
  const script = await bundlePage()
  const authHandler = toNodeHandler(own.auth)
  const received: string[] = []
  let isAway = false
  const server = await listen((request, response) => {
    const { url = '' } = request
    if (url === '/') return response.setHeader('Content-Type', 'text/html').end(html(`http://${request.headers.host}`))
    if (url === '/page.js') return response.setHeader('Content-Type', 'text/javascript').end(script)
    received.push(url)
    return isAway ? request.socket.destroy() : authHandler(request, response)
  })
  return {
    url: server.url,
    /** How many requests had this path. */
    count: (path: string) => received.filter((each) => each === path).length,
    setAway(away: boolean) {
      isAway = away
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await own[Symbol.asyncDispose]()
    },
  }
}

function html(origin: string): string {
  const start = '<!doctype html><meta charset="utf-8"><title>React</title><link rel="icon" href="data:">'
  return `${start}<div id="root">${renderApp(origin)}</div><script src="/page.js"></script>`
}

/** With the checks of a development build, such as two mounts in StrictMode. */
async function bundlePage(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../../packages/client/test/react/page.ts')],
    ...{ bundle: true, write: false, format: 'iife', define: { 'process.env.NODE_ENV': '"development"' } },
  })
  return outputFiles[0]?.contents as Uint8Array
}

interface OpenPage {
  readonly page: Page
  /** What React and the browser say about errors of the page. */
  readonly complaints: string[]
}

async function openPage({ url }: Site, context: Pick<Browser, 'newPage'>): Promise<OpenPage> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => {
    // The browser itself reports each refusal, such as that of a refresh without a cookie.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints }
}

const shows = (page: Page, id: string, text: string) =>
  page.locator(`#${id}`, { hasText: text }).waitFor({ timeout: 20_000 })
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** The HTML of the server says "loading". */
async function hydrates(browser: Browser, { url }: Site): Promise<void> {
  const page = await browser.newPage({ javaScriptEnabled: false })
  await page.goto(url)
  await shows(page, 'first', 'loading')
  await page.close()
}

async function followsTabs({ page }: OpenPage, { page: other }: OpenPage, site: Site): Promise<void> {
  for (const each of [page, other]) await shows(each, 'first', 'anonymous')
  assert.equal(site.count('/refresh'), 2, 'one request for each page, although StrictMode mounts components twice')
  await press(page, 'Log in')
  for (const each of [page, other]) await shows(each, 'first', 'authenticated: ann')
  await press(other, 'Second')
  await shows(other, 'second', 'authenticated: ann')
  await press(other, 'Log out')
  for (const each of [page, other]) await shows(each, 'first', 'anonymous')
  await shows(other, 'second', 'anonymous')
}

async function findsServerAgain({ page }: OpenPage, site: Site): Promise<void> {
  await press(page, 'Log in')
  await shows(page, 'first', 'authenticated: ann')
  site.setAway(true)
  await page.reload()
  await shows(page, 'first', 'unavailable')
  site.setAway(false)
  await shows(page, 'first', 'authenticated: ann')
}
