// Runs use/worker.mjs in workerd, the runtime of Cloudflare Workers.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'

const [place] = process.argv.slice(2)
const { exportJwk, generateKey, sign } = await import(
  pathToFileURL(join(place, 'node_modules/@sealwax/jwt/dist/index.js')).href
)
const { outputFiles } = await build({
  entryPoints: [join(place, 'worker.mjs')],
  ...{ bundle: true, write: false, format: 'esm', platform: 'neutral', external: ['node:*'] },
  mainFields: ['module', 'main'],
})
const key = await generateKey('ES256')
const worker = new Miniflare({
  ...{ modules: true, script: outputFiles[0].text },
  ...{ compatibilityDate: '2026-07-01', compatibilityFlags: ['nodejs_compat'] },
  bindings: { PUBLIC_KEY: JSON.stringify(exportJwk(key.publicKey)) },
})
try {
  const options = { issuer: 'https://auth.example.com', audience: 'api', typ: 'at+jwt', expiresIn: 60 }
  const token = sign({ sub: 'user-123', client_id: 'app' }, key, options)
  const send = (sent) => worker.dispatchFetch('http://localhost/', { headers: { Authorization: `Bearer ${sent}` } })
  const reply = await send(token)
  assert.deepEqual([reply.status, await reply.text()], [200, 'user-123'])
  const refused = await send(`${token.slice(0, -12)}AAAAAAAAAAAA`)
  assert.deepEqual([refused.status, (await refused.json()).code], [401, 'token_signature_invalid'])
} finally {
  await worker.dispose()
}
