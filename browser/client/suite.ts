import type { Suite } from '../suite.ts'

/** The client in pages of a real browser: nobody is logged out by accident. */
export const client: Suite = {
  name: 'client',
  async run(browser, { print }) {
    const page = await browser.newPage()
    print(await page.evaluate(() => navigator.userAgent))
    await page.close()
  },
}
