// npm run sbom: what an installation of all packages consists of, as CycloneDX. Needs a build.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from './pack.ts'

const place = mkdtempSync(join(tmpdir(), 'sealwax-sbom-'))
const npm = (...args) => execFileSync('npm', args, { cwd: place, encoding: 'utf8', maxBuffer: 1 << 26 })
try {
  const packed = await pack(place)
  const { version, peerDependencies } = packed.find(({ folder }) => folder === 'sealwax').manifest
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'sealwax-installation', version }))
  const peers = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`)
  npm('install', '--ignore-scripts', '--silent', ...packed.map(({ file }) => file), ...peers)
  console.log(npm('sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'))
} finally {
  rmSync(place, { recursive: true, force: true })
}
