import { Code } from '../../components/code.tsx'
import type { Hint } from './workbench.tsx'

/** The hints of the first exercise. */
export const verifierHints: readonly Hint[] = [
  {
    title: 'where to begin',
    text: (
      <p>
        Fill the gaps from top to bottom, and run your code after each one. When gap 1 is right, the good token is
        accepted, and so are most of the others: so far, your code only decodes. Each further gap refuses some of them.
      </p>
    ),
  },
  {
    title: 'what to use',
    text: (
      <ul>
        <li>
          To refuse a token, throw an error: <code>throw new Error('expired')</code>.
        </li>
        <li>
          <code>token.split('.')</code> returns an array of the parts.
        </li>
        <li>
          The signature covers the header and the payload exactly as they are in the token: in base64url, with the dot
          between them. Pass that to <code>hmac</code>, and do not forget <code>await</code>.
        </li>
        <li>
          <code>exp</code> counts seconds, and <code>Date.now()</code> counts milliseconds. A comparison with{' '}
          <code>undefined</code> is false, so ask first whether <code>exp</code> is a number.
        </li>
      </ul>
    ),
  },
  {
    title: 'almost the code',
    text: (
      <Code
        label="the third hint for the verifier"
        text={`if (parts.length !== …) throw new Error('not three parts')

if (alg !== …) throw new Error('alg is not HS256')

const expected = await hmac(secret, header + … + payload)
if (!equal(…, …)) throw new Error('the signature is wrong')

if (typeof claims.exp !== 'number') throw new Error('exp is missing')
if (claims.exp <= Date.now() / …) throw new Error('expired')`}
      />
    ),
  },
]
