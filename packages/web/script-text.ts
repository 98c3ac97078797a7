import { build, type Plugin } from 'vite'

const QUERY = '?script'

/**
 * `import { script } from './file.ts?script'` gives a file and what it imports as the text of one
 * classic script.
 */
export function scriptText(): Plugin {
  return {
    name: 'script-text',
    async load(id) {
      if (!id.endsWith(QUERY)) return undefined
      const built = await build({
        ...{ configFile: false, logLevel: 'warn' },
        build: {
          ...{ write: false, minify: true, target: 'es2022' },
          lib: { entry: id.slice(0, -QUERY.length), formats: ['iife'], name: 'script' },
        },
      })
      const [output] = [built].flat()
      if (output === undefined || !('output' in output)) throw new Error(`${id} was not built`)
      return `export const script = ${JSON.stringify(output.output[0].code)}`
    },
  }
}
