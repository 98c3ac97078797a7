import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { checkAccessibility, checkTabOrder, finishAnimations } from '../accessibility.ts'
import { type PageWatch, watchPage } from '../page-watch.ts'
import { type Hands, type Reader, readerOf, type StepWalk } from './reader.ts'
import { walks } from './walks.ts'

/** How a reader looks at the lesson. */
export interface Look {
  readonly width: number
  readonly scheme: 'light' | 'dark'
  readonly hands: Hands
}

interface Options extends Look {
  readonly url: string
  /** Whether to leave out what takes long. */
  readonly short: boolean
  /** A folder for pictures of each step. */
  readonly screenshots: string | undefined
}

/** Walks through the whole lesson, from the first step to the last one. */
export async function walkLesson(browser: Browser, options: Options): Promise<void> {
  const { url, width, scheme, hands, short } = options
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme })
  try {
    const page = await context.newPage()
    const watch = await watchPage(page)
    const reader = readerOf(page, hands)
    await page.goto(url)
    await page.locator('h1').waitFor()
    const ids = await idsOf(page)
    for (const [index, id] of ids.entries()) {
      const walk = walks.find((one) => one.id === id)
      if (walk === undefined) throw new Error(`no walk for the step ${id}`)
      await walkStep(reader, watch, walk, options)
      if (index < ids.length - 1) await goOn(page, ids[index + 1] as string)
    }
    if (!short) await checkProgress(page)
    await checkPrinted(page, options)
    watch.check('at the end')
  } finally {
    await context.close()
  }
}

async function walkStep({ page, ...reader }: Reader, watch: PageWatch, walk: StepWalk, options: Options) {
  const { width, scheme, short } = options
  const where = `${walk.id} at ${width} px, ${scheme}`
  const look = async (moment: 'before' | 'after') => {
    if (options.screenshots !== undefined) await takePicture(page, options, `${walk.id}-${moment}`)
    await checkAccessibility(page, `${where}, ${moment} its tasks`)
  }
  if (!short || walk.isSlow) await look('before')
  if (short && walk.isSlow) return
  try {
    await walk.walk({ page, ...reader })
  } catch (error) {
    if (options.screenshots !== undefined) await takePicture(page, options, `${walk.id}-failed`)
    throw new Error(where, { cause: error })
  }
  const left = await page.locator('.task[data-done="false"]').count()
  if (left > 0) throw new Error(`${where}: ${left} tasks are not done`)
  await look('after')
  if (!short) await checkTabOrder(page, where)
  watch.check(where)
}

async function idsOf(page: Page): Promise<string[]> {
  const links = page.locator('.steps a')
  return links.evaluateAll((all) => all.map((link) => link.getAttribute('href')?.slice(1) ?? ''))
}

/** The reader goes on, and the next step begins at its heading at the top of the page. */
async function goOn(page: Page, next: string): Promise<void> {
  await page.locator('.next').click()
  await page.waitForFunction((id) => location.hash === `#${id}` && document.activeElement?.tagName === 'H1', next)
  const [top, title, heading] = await page.evaluate(() => [
    scrollY,
    document.title,
    document.activeElement?.textContent ?? '',
  ])
  if (top !== 0) throw new Error(`${next} begins ${top} px below the top`)
  if (!`${title}`.startsWith(`${heading} · `)) throw new Error(`${next} has the title ${title}`)
}

/** The progress is still there after a reload, until the reader deletes it. */
async function checkProgress(page: Page): Promise<void> {
  await page.reload()
  await page.locator('h1').waitFor()
  const folded = page.locator('.contents > summary')
  if ((await folded.count()) > 0) await folded.click()
  await page.getByText(/^(\d+) of \1 tasks done$/).waitFor()
  await page.getByRole('button', { name: 'Forget my progress' }).click()
  await page.getByText(/^0 of \d+ tasks done$/).waitFor()
  if ((await page.locator('.task[data-done="true"]').count()) > 0) throw new Error('a forgotten task is still done')
}

/** The whole text on one page: all steps, accessible, and without scripts. */
async function checkPrinted(page: Page, options: Options): Promise<void> {
  await page.goto(`${options.url}/text`)
  const [articles, scripts] = [await page.locator('article').count(), await page.locator('script').count()]
  if (articles !== walks.length || scripts > 0) throw new Error(`${articles} articles, ${scripts} scripts`)
  await checkAccessibility(page, `the whole text at ${options.width} px, ${options.scheme}`)
}

async function takePicture(page: Page, { screenshots = '', width, scheme }: Options, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true })
  await finishAnimations(page)
  await page.screenshot({ path: join(screenshots, `${name}-${width}-${scheme}.png`), fullPage: true })
}
