// Runs after the build: every entry point of every published package can be imported as its users
// do, without the sources, and has its types.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
let count = 0
for (const path of globSync('packages/*/package.json', { cwd: root })) {
  const { name, exports = {} } = JSON.parse(readFileSync(join(root, path), 'utf8'))
  for (const [subpath, { types }] of Object.entries(exports)) {
    await import(join(name, subpath))
    if (!existsSync(join(root, path, '..', types))) throw new Error(`${name}: ${types} does not exist`)
    count += 1
  }
}
if (count === 0) throw new Error('No package has entry points')
console.log(`${count} entry points can be imported`)
