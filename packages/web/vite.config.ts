import { join } from 'node:path'
import { defineConfig } from 'vite'
import { scriptText } from './script-text.ts'

/** Relative addresses, so that the pages work under any base path. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [scriptText()],
  resolve: { conditions: ['@sealwax/source', 'module', 'browser', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, '../sealwax/dist/web'),
    emptyOutDir: true,
    // A module is preloaded by a script of ours otherwise, and a small image becomes a data URL.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: 'es2022',
    rolldownOptions: {
      input: {
        inspect: join(import.meta.dirname, 'inspect.html'),
        learn: join(import.meta.dirname, 'learn.html'),
      },
    },
  },
})
