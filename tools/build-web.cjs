// Builds the web pages: after `npm ci`, so that nobody has to, and with `npm run build:web`. Runs with any version of
// Node that npm found, and without the packages that `npm ci --omit=dev` leaves out.
const { join } = require('node:path')

const web = join(__dirname, '../packages/web')
const problem = problemOf()
if (problem === undefined) {
  void import(join(web, 'build.ts'))
} else {
  console.log(`The web pages (lesson, inspector) are not built: ${problem}`)
  // The rest of the installation works without them.
  if (process.env.npm_lifecycle_event !== 'prepare') process.exitCode = 1
}

function problemOf() {
  const node = process.versions.node
  if (Number(node.split('.')[0]) < 24) return `this is Node ${node}, and they need Node 24. Type: npm run build:web`
  try {
    require.resolve('vite/package.json', { paths: [web] })
  } catch {
    return 'vite is not installed. Type: npm ci --include=dev'
  }
}
