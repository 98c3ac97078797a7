// Builds the pages into packages/sealwax/dist/web. Runs after `npm ci`, so that nobody has to.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'

const OUT = join(import.meta.dirname, '../sealwax/dist/web')
const RENDERER = join(import.meta.dirname, 'node_modules/.printed')

await build({ root: import.meta.dirname, logLevel: 'warn' })

// The printed page: the text of all steps as HTML, made from the same modules.
await build({
  root: import.meta.dirname,
  logLevel: 'warn',
  ssr: { resolve: { conditions: ['@sealwax/source', 'module', 'node', 'default'] } },
  build: {
    ssr: 'src/learn/printed.tsx',
    outDir: RENDERER,
    emptyOutDir: true,
    rolldownOptions: { output: { entryFileNames: 'printed.mjs' } },
  },
})
const { printed } = await import(pathToFileURL(join(RENDERER, 'printed.mjs')).href)
const [style] = /assets\/[\w-]+\.css/.exec(readFileSync(join(OUT, 'learn.html'), 'utf8')) ?? []
if (style === undefined) throw new Error('learn.html has no stylesheet')
mkdirSync(join(OUT, 'learn'), { recursive: true })
writeFileSync(join(OUT, 'learn/text.html'), printed(`../${style}`))
rmSync(RENDERER, { recursive: true })
