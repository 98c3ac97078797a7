import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './pages.ts'

const run = promisify(execFile)
const PACKAGES = ['jwt', 'guard', 'client', 'sealwax'] as const

/** A package, packed as npm would publish it. */
interface Packed {
  readonly manifest: { readonly name: string; readonly version: string }
  readonly tarball: Buffer
}

/** Packs the packages into a folder. They must have been built. */
export async function pack(folder: string): Promise<readonly Packed[]> {
  return Promise.all(
    PACKAGES.map(async (name) => {
      const source = join(root, 'packages', name)
      const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: source })
      const [{ filename }] = JSON.parse(stdout)
      const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
      return { manifest, tarball: readFileSync(join(folder, filename)) }
    }),
  )
}

/** A registry that has the packed packages, and sends npm elsewhere for all others. */
export async function serveRegistry(packed: readonly Packed[]) {
  const upstream = (await run('npm', ['config', 'get', 'registry'])).stdout.trim().replace(/\/$/, '')
  const server = createServer((req, res) => {
    const path = decodeURIComponent(req.url ?? '/').slice(1)
    const found = packed.find(({ manifest: { name } }) => path === name || path === `${name}/-/package.tgz`)
    if (found === undefined) return res.writeHead(307, { Location: `${upstream}${req.url}` }).end()
    if (path.endsWith('.tgz')) return res.end(found.tarball)
    const { name, version } = found.manifest
    const dist = {
      tarball: `${url}/${name}/-/package.tgz`,
      integrity: `sha512-${createHash('sha512').update(found.tarball).digest('base64')}`,
    }
    const document = { name, 'dist-tags': { latest: version }, versions: { [version]: { ...found.manifest, dist } } }
    return res.setHeader('Content-Type', 'application/json').end(JSON.stringify(document))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
