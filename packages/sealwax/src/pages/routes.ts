import type { Edge } from '../http/edge.ts'
import { NOT_BUILT, readWebFiles, webFileReply } from './files.ts'

/** `/inspect` and what it loads: static files, so they are not in the OpenAPI document. */
export function inspectorRoutes({ app, context: { config, log } }: Edge): void {
  if (!config.inspector) return
  const files = readWebFiles()
  const page = files.get('inspect.html')
  if (page === undefined) return void log.warn({}, NOT_BUILT)
  app.get('/inspect', (c) => webFileReply(page, c.req.raw.headers))
  for (const [path, file] of files) {
    if (path.startsWith('assets/')) app.get(`/${path}`, (c) => webFileReply(file, c.req.raw.headers))
  }
}
