// npm run docs:check: everything that the pages say is typed, run and compared.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pack } from '../tools/pack.ts'
import { unusedExceptions } from './exceptions.ts'
import { checkTypes, fragmentsOf, runFragments } from './fragments.ts'
import { blocksOf, pages } from './pages.ts'
import { checkReference } from './reference.ts'
import { serveRegistry } from './registry.ts'
import { checkSite } from './site.ts'
import { isWalk, walk } from './walk.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    code: { type: 'boolean' },
    walks: { type: 'boolean' },
    site: { type: 'boolean' },
    'write-reference': { type: 'boolean', default: false },
  },
})
const all = values.code !== true && values.walks !== true && values.site !== true
const chosen = pages.filter((page) => values.only === undefined || values.only.some((part) => page.includes(part)))
if (chosen.length === 0) throw new Error(`no page has ${values.only?.join(', ')} in its path`)
let failed = 0
const report = (name: string, faults: readonly string[]) => {
  failed += faults.length
  console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  for (const fault of faults) console.log(`     ${fault}`)
}

if (all || values.code) {
  report(`types of ${chosen.length} pages`, await checkTypes(chosen))
  for (const page of chosen) report(`${page}: ${fragmentsOf(page).length} fragments`, await runFragments(page))
}
if (all || values.walks) await walkAll()
if (all || values.site) report('the site', await checkSite(values.only?.[0]))
if (values.only === undefined) report('docs/reference', await checkReference(values['write-reference']))
if (values.only === undefined) report('exceptions that are still needed', unusedExceptions(pages.flatMap(blocksOf)))
console.log(failed === 0 ? 'all pages run' : `${failed} faults`)
process.exitCode = failed === 0 ? 0 : 1

async function walkAll() {
  const folder = mkdtempSync(join(tmpdir(), 'sealwax-packed-'))
  const registry = await serveRegistry(await pack(folder))
  try {
    for (const page of chosen.filter(isWalk)) {
      const started = performance.now()
      const { commands, faults, left } = await walk(page, registry.url)
      report(`${page}: ${commands} commands (${((performance.now() - started) / 1000).toFixed(0)} s)`, faults)
      for (const line of left) console.log(`     not run: ${line}`)
    }
  } finally {
    registry.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
