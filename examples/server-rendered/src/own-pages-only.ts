import type { RequestHandler } from 'express'
import { html, page } from './pages.ts'

/**
 * Browsers also send cookies with the forms of other sites. This refuses everything that could
 * change something unless it comes from a page of this site, the log-in form included.
 *
 * @param origin of the site, such as `https://www.example.com`
 */
export function ownPagesOnly(origin: string): RequestHandler {
  return (req, res, next) => {
    if (req.method === 'GET' || req.method === 'HEAD') return next()
    // Browsers send both by themselves, and no page can change them.
    if (req.get('Sec-Fetch-Site') === 'same-origin' || req.get('Origin') === origin) return next()
    res.status(403).send(page('Refused', html`<p>This form was sent by a page of another site.</p>`))
  }
}
