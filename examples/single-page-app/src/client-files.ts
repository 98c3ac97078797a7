import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { type RequestHandler } from 'express'

/**
 * Serves the files of `@sealwax/client`; `index.js` is the one to import. Browsers can load the
 * installed package as it is, because it has no dependencies.
 */
export function clientFiles(): RequestHandler {
  const entry = fileURLToPath(import.meta.resolve('@sealwax/client'))
  return basename(entry) === 'index.js' ? express.static(dirname(entry)) : withoutTypes(dirname(entry))
}

/** In the repository of Sealwax, the package is TypeScript. Your project does not need this. */
function withoutTypes(folder: string): RequestHandler {
  return async (req, res, next) => {
    const name = /^\/([a-z-]+)\.[jt]s$/.exec(req.path)?.[1]
    if (name === undefined) return next()
    const source = await readFile(join(folder, `${name}.ts`), 'utf8')
    res.type('js').send(stripTypeScriptTypes(source))
  }
}
