import type { Plugin } from 'vite'

/**
 * Only in this repository, where the packages are TypeScript: Vite would bundle those, since it
 * leaves only JavaScript to Node.
 */
export const sources: Plugin = {
  name: 'sealwax-sources',
  enforce: 'pre',
  resolveId: (id) => (/^@?sealwax(\/|$)/.test(id) ? { id: import.meta.resolve(id), external: true } : undefined),
  config: () => ({ ssr: { resolve: { externalConditions: ['@sealwax/source', 'node'] } } }), // for `vite dev`
}
