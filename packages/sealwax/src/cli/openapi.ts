import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuth } from '../create-auth.ts'
import { sqliteStore } from '../store/sqlite/index.ts'

/** `sealwax openapi`: prints the document that a server of this issuer has at `/openapi.json`. */
export async function openApi(options: { issuer: string; basePath: string }): Promise<void> {
  console.log(JSON.stringify(JSON.parse(await openApiText(options)), undefined, 2))
}

/** The document of a server, from a temporary one with a database in memory. */
export async function openApiText({ issuer, basePath }: { issuer: string; basePath: string }): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sealwax-'))
  try {
    const secret = randomBytes(48).toString('base64')
    const store = sqliteStore(join(directory, 'openapi.db'))
    const auth = await createAuth({ issuer, basePath, audience: issuer, secret, store })
    try {
      const reply = await auth.fetch(new Request(new URL(`${basePath}/openapi.json`, issuer)))
      return await reply.text()
    } finally {
      await auth.close()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
