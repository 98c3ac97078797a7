/**
 * Returns the Content-Security-Policy of a page that has one style and loads nothing.
 *
 * @param formAction where its forms may be sent
 */
export async function stylePolicy(style: string, formAction: "'none'" | "'self'"): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style))
  const hash = `'sha256-${Buffer.from(digest).toString('base64')}'`
  return `default-src 'none'; style-src ${hash}; img-src data:; base-uri 'none'; form-action ${formAction}; frame-ancestors 'none'`
}
