import { createHash } from 'node:crypto'
import type { Hono } from 'hono'

/**
 * The first message of the page is the text of a script, which becomes a worker. After that, the
 * frame passes messages on in both directions.
 */
const SCRIPT = `
let worker
addEventListener('message', ({ source, data }) => {
  if (source !== parent) return
  if (worker !== undefined) return worker.postMessage(data)
  worker = new Worker(URL.createObjectURL(new Blob([data], { type: 'text/javascript' })))
  worker.onmessage = (event) => parent.postMessage(event.data, '*')
  worker.onerror = (event) => {
    event.preventDefault()
    parent.postMessage({ type: 'failed', message: event.message, line: event.lineno }, '*')
  }
})
`

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sandbox</title>
<script>${SCRIPT}</script>
`

/**
 * The worker has the same policy. Its origin is opaque, so it has no storage and no access to the
 * page; it can load nothing and connect to nothing.
 */
const POLICY = [
  'sandbox allow-scripts',
  "default-src 'none'",
  `script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`,
  ...['worker-src blob:', "connect-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"],
].join('; ')

/** The frame in which the exercises run the code of the reader. */
export function addSandbox(app: Hono): void {
  app.get('/learn/sandbox', (c) =>
    c.html(PAGE, 200, {
      ...{ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' },
      ...{ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' },
    }),
  )
}
