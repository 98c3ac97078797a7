// Builds the web pages after `npm ci`. With `npm ci --omit=dev` there is nothing to build them with.
const { join } = require('node:path')

const web = join(__dirname, '../packages/web')
try {
  require.resolve('vite/package.json', { paths: [web] })
} catch {
  console.log('The web pages are not built: vite is not installed.')
  process.exit(0)
}
void import(join(web, 'build.ts'))
