// Runs before the npm scripts, with any version of Node that npm found. Prints one sentence instead
// of a stack trace.
const { existsSync } = require('node:fs')
const { join } = require('node:path')

const major = Number(process.versions.node.split('.')[0])
if (!existsSync(join(__dirname, '..', 'node_modules'))) {
  console.error('Sealwax is not installed yet. Type: npm ci')
  process.exit(1)
}
if (major < 24) {
  const linux = process.platform === 'linux' && process.arch === 'x64'
  const remedy = linux ? 'npm ci (without --omit=optional)' : 'nvm install 24 (or get it from https://nodejs.org)'
  console.error(`Sealwax needs Node 24 or newer; this is Node ${process.versions.node}. Type: ${remedy}`)
  process.exit(1)
}
