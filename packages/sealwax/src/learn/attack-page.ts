import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'

/**
 * Sends the request as soon as the page is open, as the page of an attacker would. Both ways need
 * no permission of the other origin: CORS protects replies, not requests.
 */
const SCRIPT = `
addEventListener('load', () => {
  const form = document.querySelector('form')
  const tell = (text) => {
    document.querySelector('[role=status]').textContent = text
    parent.postMessage({ attack: 'sent' }, new URL(form.action).origin)
  }
  if (new URLSearchParams(location.search).get('with') === 'form') {
    // Afterwards, so that the frame is loaded twice: with this page, and with the reply.
    setTimeout(() => form.submit())
    return
  }
  fetch(form.action, { method: 'POST', credentials: 'include', mode: 'no-cors' }).then(
    () => tell('POST /logout was sent. This page cannot read the reply.'),
    () => tell('The browser did not send the request.'),
  )
})
`

const STYLE = `
body { margin: 1rem; font: 1rem/1.5 system-ui, sans-serif }
p { margin: 0 0 .5rem }
`

/**
 * Returns a foreign page, which tries to log the user out at another origin. Only that origin
 * may show it in a frame.
 *
 * @param target the origin that it attacks
 */
export function attackPage(target: string): Response {
  const policy = [
    ...["default-src 'none'", `script-src ${hashOf(SCRIPT)}`, `style-src ${hashOf(STYLE)}`, 'img-src data:'],
    ...[`connect-src ${target}`, `form-action ${target}`, `frame-ancestors ${target}`],
    "base-uri 'none'",
  ].join('; ')
  return new Response(String(render(target)), {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy,
      'Cache-Control': 'no-store',
    },
  })
}

function render(target: string) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>A foreign page</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<p><strong>A foreign page</strong></p>
<p role="status">Sending POST ${target}/logout …</p>
<form method="post" action="${target}/logout"></form>
<script>${raw(SCRIPT)}</script>
</body>
</html>
`
}

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`
}
