// walks only some steps: node one.ts WIDTH SCHEME HANDS id...
import { launchChromium } from '/tmp/w-walk/browser/chromium.ts'
import { startLesson } from '/tmp/w-walk/packages/sealwax/src/learn/server.ts'
import { watchPage } from '/tmp/w-walk/browser/page-watch.ts'
import { readerOf } from '/tmp/w-walk/browser/lesson/reader.ts'
import { walks } from '/tmp/w-walk/browser/lesson/walks.ts'
import { checkAccessibility, checkTabOrder } from '/tmp/w-walk/browser/accessibility.ts'
const [, , width, scheme, hands, ...ids] = process.argv
const b = await launchChromium(); const s = await startLesson(0)
for (const id of ids) {
  const c = await b.newContext({ viewport: { width: +width!, height: 800 }, colorScheme: scheme as any })
  const page = await c.newPage(); page.on('response', async (res) => { const u = new URL(res.url()); if (!/^.(login|refresh|logout|learn.comments)$/.test(u.pathname)) return; const h = await res.request().allHeaders(); const r = await res.allHeaders(); const short = (t?: string) => (t ?? '').replace(/(swr_[\w-]+)/g, (x) => '…' + x.slice(-6)).slice(0, 90); let body = ''; try { body = (await res.text()).slice(0,0) + (JSON.parse(await res.text()).reason ?? '') } catch {} log.push([Math.round(performance.now()), res.request().method(), u.pathname, res.status(), 'C:', short(h.cookie), 'S:', short(r['set-cookie']), body].join(' ')) }); const log: string[] = []; const w = await watchPage(page); const r = readerOf(page, hands as any)
  try {
    await page.goto(`${s.url}#${id}`); await page.locator('h1').waitFor()
    await checkAccessibility(page, 'before')
    const t = performance.now()
    await walks.find(x => x.id === id)!.walk(r)
    console.log(id, 'walked', Math.round(performance.now() - t))
    await checkAccessibility(page, 'after'); await checkTabOrder(page, 'tab'); w.check('watch')
    if (process.env.TWICE) { await page.reload(); await page.locator('h1').waitFor(); await walks.find(x => x.id === id)!.walk(r); w.check('again'); console.log(id, 'again') }
    console.log(id, 'ok', Math.round(performance.now() - t))
  } catch (e) { console.log(id, 'FAILED', e); console.log(await page.locator('.task').last().innerText()); console.log(log.join('\n')); if (0) console.log(JSON.stringify((await (await fetch(s.url.replace('/learn','/learn/api/seen'))).json()),null,0)); await page.screenshot({ path: `/tmp/one-${id}.png`, fullPage: true }) }
  await c.close()
}
await b.close(); await s.close()
