import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import type { Packed } from '../tools/pack.ts'

/** A registry that has the packed packages, and sends npm elsewhere for all others. */
export async function serveRegistry(packed: readonly Packed[]) {
  const upstream = (await promisify(execFile)('npm', ['config', 'get', 'registry'])).stdout.trim().replace(/\/$/, '')
  const server = createServer((req, res) => {
    const path = decodeURIComponent(req.url ?? '/').slice(1)
    const found = packed.find(({ manifest: { name } }) => path === name || path === `${name}/-/package.tgz`)
    if (found === undefined) return res.writeHead(307, { Location: `${upstream}${req.url}` }).end()
    if (path.endsWith('.tgz')) return createReadStream(found.file).pipe(res)
    const { name, version } = found.manifest
    const dist = {
      tarball: `${url}/${name}/-/package.tgz`,
      integrity: `sha512-${createHash('sha512').update(readFileSync(found.file)).digest('base64')}`,
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
