import { Code } from '../../components/code.tsx'
import type { Hint } from './workbench.tsx'

/** The hints of the second exercise. */
export const guardHints: readonly Hint[] = [
  {
    title: 'where to begin',
    text: (
      <p>
        There are two ways out of a guard: <code>await next()</code> runs the route, and <code>return</code> with a
        reply does not. Every request without a valid token must take the second way, before <code>next</code> is
        called.
      </p>
    ),
  },
  {
    title: 'what to use',
    text: (
      <ul>
        <li>
          The header may be missing, and it may hold something else than a token. A regular expression checks and takes
          the token at once: <code>{'/^Bearer (\\S+)$/i'}</code> matches <code>Bearer</code>, a space and a text without
          spaces; <code>i</code> ignores the case.
        </li>
        <li>
          <code>verify</code> throws, so call it in <code>try</code>, and refuse in <code>catch</code>. Do not forget{' '}
          <code>await</code>: without it, the error passes by the <code>catch</code>.
        </li>
        <li>
          <code>c.json(body, status, headers)</code> makes a reply.
        </li>
        <li>
          The user is the claim <code>sub</code>.
        </li>
      </ul>
    ),
  },
  {
    title: 'almost the code',
    text: (
      <Code
        label="the third hint for the guard"
        text={`const token = /^Bearer (\\S+)$/i.exec(value ?? '')?.[…]

try {
  const claims = await verify(…, c.env.SECRET)
  c.set('user', …)
} catch {
  return c.json({ error: 'unauthorized' }, …, { 'WWW-Authenticate': … })
}`}
      />
    ),
  },
]
