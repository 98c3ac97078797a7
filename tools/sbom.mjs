// npm run sbom: what an installation of all packages consists of, as CycloneDX. Needs a build.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const place = mkdtempSync(join(tmpdir(), 'sealwax-sbom-'))
const folder = join(place, 'sealwax')
const npm = (args, cwd) => execFileSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 })
try {
  mkdirSync(folder)
  for (const name of ['jwt', 'guard', 'client', 'sealwax']) {
    npm(['pack', '--silent', '--pack-destination', place], join(root, 'packages', name))
  }
  const { version, peerDependencies } = JSON.parse(readFileSync(join(root, 'packages/sealwax/package.json'), 'utf8'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'sealwax-installation', version }))
  const tarballs = readdirSync(place).filter((file) => file.endsWith('.tgz'))
  const peers = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`)
  npm(['install', '--ignore-scripts', '--silent', ...tarballs.map((file) => join('..', file)), ...peers], folder)
  console.log(npm(['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'], folder))
} finally {
  rmSync(place, { recursive: true, force: true })
}
