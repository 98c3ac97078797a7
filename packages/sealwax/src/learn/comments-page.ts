import { html, raw } from 'hono/html'

/**
 * The policy allows scripts in the page. This is the mistake that the page is there to show.
 * Nothing can be sent to another server.
 */
const POLICY = [
  ...["default-src 'none'", "script-src 'unsafe-inline'", "style-src 'unsafe-inline'", 'img-src data:'],
  ...["connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"],
].join('; ')

const STYLE = `
body { margin: 1rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
p { margin: 0 0 .5rem }
`

/**
 * Returns the page with the newest comment, which it does not escape.
 *
 * @param hasCookie whether the refresh cookie came with the request
 */
export function commentsPage(comment: string, hasCookie: boolean): Response {
  return new Response(String(render(comment, hasCookie)), {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': POLICY,
      'Cache-Control': 'no-store',
    },
  })
}

function render(comment: string, hasCookie: boolean) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Comments</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<p><strong>The newest comment</strong></p>
<div>${comment === '' ? 'There is none yet.' : raw(comment)}</div>
<hr>
<p>The request for this page came with ${hasCookie ? 'the refresh cookie' : 'no refresh cookie'}.</p>
</body>
</html>
`
}
