// Bundles the guard as Next.js does for its Edge runtime, which has no node:crypto.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { build } from 'esbuild'

const [place] = process.argv.slice(2)
const { outputFiles } = await build({
  stdin: { contents: "import { createGuard } from '@sealwax/guard'; createGuard({})", resolveDir: join(place) },
  ...{ bundle: true, write: false, format: 'esm', platform: 'neutral', external: ['node:*'] },
  conditions: ['edge-light', 'worker', 'browser'],
})
const url = `data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`
await assert.rejects(import(url), {
  message:
    "Sealwax does not run in the Edge runtime of Next.js, which has no node:crypto: write export const runtime = 'nodejs'",
})
