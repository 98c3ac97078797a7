import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VERSION } from '../packages/sealwax/src/version.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const names = ['jwt', 'guard', 'client', 'sealwax'] as const
const manifests = names.map((name) => [name, JSON.parse(read(`packages/${name}/package.json`))] as const)

test('packages: each has what npm shows, a README that says how to install it, and the license', () => {
  for (const [name, manifest] of manifests) {
    const { description, keywords, homepage, repository, bugs, license, publishConfig } = manifest
    assert.ok(description.length > 40 && keywords.length > 5 && homepage && bugs, name)
    assert.equal(repository.directory, `packages/${name}`)
    assert.deepEqual([license, publishConfig], ['Apache-2.0', { access: 'public', provenance: true }])
    assert.ok(read(`packages/${name}/README.md`).includes(`npm install ${manifest.name}`), name)
    assert.equal(read(`packages/${name}/LICENSE`), read('LICENSE'))
  }
})

test('packages: all have one version, which they require of each other', () => {
  for (const [name, { version, dependencies = {} }] of manifests) {
    assert.equal(version, VERSION, name)
    for (const [dependency, wanted] of Object.entries(dependencies)) {
      if (/^(@sealwax\/|sealwax$)/.test(dependency)) assert.equal(wanted, VERSION)
    }
  }
})

test('supply chain: jwt and client have no dependencies, guard only jwt, and sealwax exact versions with a reason', () => {
  const dependencies = Object.fromEntries(
    manifests.map(([name, manifest]) => [name, Object.keys(manifest.dependencies ?? {})]),
  )
  assert.deepEqual([dependencies.jwt, dependencies.client, dependencies.guard], [[], [], ['@sealwax/jwt']])
  const [, sealwax] = manifests.at(-1) ?? []
  const reasons = read('SECURITY.md')
  for (const name of [...Object.keys(sealwax.dependencies), ...Object.keys(sealwax.peerDependencies)]) {
    if (!name.startsWith('@sealwax/')) assert.ok(reasons.includes(`\`${name}\``), `SECURITY.md does not name ${name}`)
  }
  for (const version of Object.values(sealwax.dependencies)) assert.match(String(version), /^\d+\.\d+\.\d+$/)
})

test('supply chain: neither our packages nor what they install has a script that npm runs', () => {
  for (const [name, { scripts = {} }] of manifests) {
    const run = ['preinstall', 'install', 'postinstall', 'prepare'].filter((script) => script in scripts)
    assert.deepEqual(run, [], name)
  }
  interface Locked {
    readonly dependencies?: object
    readonly peerDependencies?: object
    readonly optionalDependencies?: object
    readonly hasInstallScript?: boolean
  }
  const { packages } = JSON.parse(read('package-lock.json')) as { readonly packages: Record<string, Locked> }
  const installed = new Set<string>()
  const visit = (path: string, name: string): void => {
    const nested = `${path}/node_modules/${name}`
    const found = nested in packages ? nested : `node_modules/${name}`
    if (installed.has(found) || !(found in packages)) return
    installed.add(found)
    const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = packages[found] ?? {}
    const next = { ...dependencies, ...optionalDependencies, ...(found.includes('sealwax') && peerDependencies) }
    for (const one of Object.keys(next)) visit(found, one)
  }
  const ofSealwax = packages['packages/sealwax'] ?? {}
  for (const name of Object.keys({ ...ofSealwax.dependencies, ...ofSealwax.peerDependencies })) {
    visit('packages/sealwax', name)
  }
  assert.ok(installed.size > 15, `${installed.size} packages`)
  assert.deepEqual(
    [...installed].filter((path) => packages[path]?.hasInstallScript === true),
    [],
  )
})

test('security: every test that the threat model names exists', () => {
  const files = [...read('SECURITY.md').matchAll(/`((?:jwt|guard|client|sealwax)\/test\/[\w/-]+\.test\.ts)`/g)]
  assert.ok(files.length > 12)
  const missing = files.map(([, file]) => `packages/${file}`).filter((file) => !existsSync(join(root, file)))
  assert.deepEqual(missing, [])
})
