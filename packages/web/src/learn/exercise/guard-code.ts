/** The guard with gaps. It lets every request through. */
export const GUARD_START = `// Lets a request through with \`await next()\`, or returns a reply.
async function guard(c, next) {
  // 1. The value of the header, or undefined.
  const value = c.req.header('Authorization')

  // 2. Take the token out of it. The scheme must be Bearer, in capital or small letters.
  const token = ''

  // 3. verify(token, c.env.SECRET) returns the claims, or throws. Refuse a request
  //    without a valid token: return 401, with WWW-Authenticate: Bearer.

  // 4. Tell the route who it is: c.set('user', …)

  await next()
}
`

/** One way to complete the guard. */
export const GUARD_SOLUTION = `// Lets a request through with \`await next()\`, or returns a reply.
async function guard(c, next) {
  const value = c.req.header('Authorization') ?? ''
  const [, token] = /^Bearer (\\S+)$/i.exec(value) ?? []

  try {
    const claims = await verify(token, c.env.SECRET)
    c.set('user', claims.sub)
  } catch {
    return c.json({ error: 'unauthorized' }, 401, { 'WWW-Authenticate': 'Bearer' })
  }

  await next()
}
`
