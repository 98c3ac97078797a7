import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/**
 * All rules that axe runs by default, best practices included, and the size of touch targets.
 * Frames are left out: axe sends them messages, which the browser reports for those of another
 * origin.
 */
const OPTIONS: RunOptions = {
  ...{ resultTypes: ['violations'], iframes: false },
  rules: { 'target-size': { enabled: true } },
}

/** Throws if axe finds a violation of any severity, or if the page scrolls horizontally. */
export async function checkAccessibility(page: Page, where: string): Promise<void> {
  await finishAnimations(page)
  if (await page.evaluate(() => !('axe' in globalThis))) await page.evaluate(AXE)
  const violations = await page.evaluate(async (options) => {
    const { axe } = globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }
    return (await axe.run(options)).violations.map(({ id, impact, nodes }) => {
      const where = nodes.slice(0, 3).map(({ html, any }) => `${html.slice(0, 200)} ${any[0]?.message ?? ''}`)
      return `${id} (${impact}), ${nodes.length} times: ${where.join(' | ')}`
    })
  }, OPTIONS)
  const [width, visible] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ])
  if ((width ?? 0) > (visible ?? 0)) violations.push(`it is ${width} px wide, and ${visible} px are visible`)
  if (violations.length > 0) throw new Error(`${where}:\n  ${violations.join('\n  ')}`)
}

/** What unfolds is transparent at first. What is folded up would never finish by itself. */
export async function finishAnimations(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) animation.finish()
  })
}

/** Throws unless Tab leads from the beginning of the page to its last control. */
export async function checkTabOrder(page: Page, where: string): Promise<void> {
  await page.evaluate(() => {
    ;(document.activeElement as HTMLElement | null)?.blur()
    getSelection()?.removeAllRanges()
    scrollTo(0, 0)
  })
  const last = page.locator('.turn a').last()
  const most = await page.locator('a, button, input, textarea, select, summary, iframe, [tabindex]').count()
  for (let pressed = 0; pressed < most + 20; pressed++) {
    await page.keyboard.press('Tab')
    if (await last.evaluate((element) => element === document.activeElement)) return
  }
  const stuck = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))
  throw new Error(`${where}: Tab does not reach the end of the page; it is at ${stuck}`)
}
