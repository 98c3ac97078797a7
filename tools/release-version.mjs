// npm run release:version: writes the changes in .changeset into the version numbers and changelogs, and
// the number into the constant of the server. All packages have one version.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const npm = (...args) => execFileSync('npm', args, { cwd: root, stdio: 'inherit' })

npm('exec', '--yes', '--package', '@changesets/cli@3.0.3', '--', 'changeset', 'version')
const { version } = JSON.parse(readFileSync(join(root, 'packages/sealwax/package.json'), 'utf8'))
const file = join(root, 'packages/sealwax/src/version.ts')
const source = readFileSync(file, 'utf8')
writeFileSync(file, source.replace(/VERSION = '[^']+'/, `VERSION = '${version}'`))
npm('install', '--package-lock-only')
console.log(`Version ${version}. Commit it, and push the tag v${version}: the workflow release.yml publishes it.`)
