import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The folders of the published packages, in the order in which they depend on each other. */
export const PACKAGES = ['jwt', 'guard', 'client', 'sealwax'] as const

/** A package, packed as npm publishes it. */
export interface Packed {
  readonly folder: (typeof PACKAGES)[number]
  readonly manifest: { readonly name: string; readonly version: string }
  /** The path of the tarball. */
  readonly file: string
}

/** Packs the packages into a directory. They must have been built. */
export async function pack(directory: string): Promise<readonly Packed[]> {
  return Promise.all(
    PACKAGES.map(async (folder) => {
      const source = join(import.meta.dirname, '../packages', folder)
      const args = ['pack', '--json', '--pack-destination', directory]
      const { stdout } = await promisify(execFile)('npm', args, { cwd: source })
      const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
      return { folder, manifest, file: join(directory, JSON.parse(stdout)[0].filename) }
    }),
  )
}
