import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ServerType, serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import type { Page } from 'playwright-core'
import { checkAccessibility } from '../browser/accessibility.ts'
import { launchChromium, withoutChromium } from '../browser/chromium.ts'
import { root } from './pages.ts'

const run = promisify(execFile)
const DIST = join(root, 'site/dist')
/** Builds the site. It refuses links between pages that lead nowhere. */
async function build(): Promise<void> {
  await run('npm', ['ci', '--prefix', 'site', '--ignore-scripts', '--silent'], { cwd: root })
  await run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build'], { cwd: join(root, 'site') })
}

/**
 * Builds the site and looks at every page with axe: on a desktop in light colours and on a phone in
 * dark ones. Nothing may be requested from another origin, and the search must find a page. Returns
 * what is wrong.
 *
 * @param only a part of the paths of the pages to look at
 */
export async function checkSite(only = ''): Promise<readonly string[]> {
  if (withoutChromium !== undefined) return [withoutChromium]
  try {
    await build()
  } catch (error) {
    return [(error as { stderr?: string }).stderr ?? String(error)]
  }
  const app = new Hono().use(serveStatic({ root: DIST }))
  const server = await new Promise<ServerType>((resolve) => {
    const started = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const browser = await launchChromium()
  try {
    const paths = globSync('**/*.html', { cwd: DIST }).filter((path) => path !== '404.html' && path.includes(only))
    if (paths.length === 0) return [`no page has ${only} in its path`]
    const faults: string[] = []
    for (const [width, height, colorScheme] of [
      [1280, 900, 'light'],
      [390, 844, 'dark'],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme })
      page.on('request', (request) => {
        if (!request.url().startsWith(origin) && !request.url().startsWith('data:'))
          faults.push(`requests ${request.url()}`)
      })
      for (const path of paths) faults.push(...(await look(page, `${origin}/${path}`, `${path}, ${colorScheme}`)))
      if (width > 1000) faults.push(...(await search(page, origin)))
      await page.close()
    }
    return faults
  } finally {
    await browser.close()
    server.close()
  }
}

async function look(page: Page, url: string, where: string): Promise<readonly string[]> {
  await page.goto(url, { waitUntil: 'load' })
  try {
    await checkAccessibility(page, where)
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

async function search(page: Page, origin: string): Promise<readonly string[]> {
  await page.goto(origin)
  await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {})) // the keys work from then on
  await page.keyboard.press('Control+k')
  await page.locator('#localsearch-input').fill('revocation feed')
  const found = page.locator('.result').first()
  await found.waitFor({ timeout: 10_000 }).catch(() => undefined)
  return (await found.isVisible()) ? [] : ['the search finds nothing']
}
