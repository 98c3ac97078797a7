import type { Step } from '../step.ts'
import { PublicKey, SecondService } from './keys-public.tsx'
import { SharedSecret } from './keys-shared-secret.tsx'

/** Step 8: who can sign a token, and who can only verify it. */
export const keys: Step = {
  id: 'keys',
  title: 'Who can sign, who can verify',
  text: (
    <>
      <p>
        The header of a token names an algorithm in <code>alg</code>. There are two families. With HS256, one secret
        both signs and verifies (HMAC). With ES256 or RS256, a private key signs, and a public key verifies; nobody can
        compute the private key from the public one.
      </p>
      <p>
        As long as one program does both, either will do. The difference shows when a second program has to verify the
        tokens.
      </p>
    </>
  ),
  tasks: [
    {
      id: 'hs256',
      title: 'Forge a token with the secret of a verifier',
      text: (
        <p>
          A small service verifies HS256 tokens, so it has the secret of the issuer in its settings. You have read those
          settings. Change the claims, sign them with the secret, and let the service verify your token.
        </p>
      ),
      Live: SharedSecret,
      afterwards: (
        <p>
          The service cannot tell your token from one of the issuer, because there is no difference. Whoever can verify
          an HS256 token can also make one, for any user and any role. So each service that gets the secret is one more
          place from which it can leak.
        </p>
      ),
    },
    {
      id: 'es256',
      title: 'Try the same with a public key',
      text: (
        <p>
          This server signs with ES256, and everybody may fetch its public keys. Verify Ada’s token with them in this
          page. Then try to sign with the same key.
        </p>
      ),
      Live: PublicKey,
      afterwards: (
        <>
          <p>
            The public key verifies and cannot sign. Its coordinates <code>x</code> and <code>y</code> are public; the
            number <code>d</code>, with which the issuer signs, never leaves the issuer.
          </p>
          <table>
            <thead>
              <tr>
                <th scope="col">Algorithm</th>
                <th scope="col">Signs with</th>
                <th scope="col">Verifies with</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">HS256</th>
                <td>the secret</td>
                <td>the same secret</td>
              </tr>
              <tr>
                <th scope="row">ES256, RS256</th>
                <td>the private key, which only the issuer has</td>
                <td>the public key, which everybody may have</td>
              </tr>
            </tbody>
          </table>
        </>
      ),
    },
    {
      id: 'second-service',
      title: 'Let a second service verify',
      text: (
        <p>
          The second service of this lesson shares no secret and no database with the issuer. Send Ada’s token to it.
          Then fetch the two documents that it fetched: the metadata of the issuer, which says where the keys are, and
          the keys.
        </p>
      ),
      Live: SecondService,
      afterwards: (
        <>
          <p>
            From the address of the issuer, the service found everything else. The metadata (RFC 8414) contain{' '}
            <code>jwks_uri</code>; at that address is a set of public keys, a JWKS; the header of the token says in{' '}
            <code>kid</code> which key of the set to use. The service keeps the set for some minutes, so it does not ask
            the issuer at each request.
          </p>
          <p>
            An issuer replaces its key from time to time (key rotation): it publishes the next key before it signs with
            it, which is why the set here has two. Afterwards, it leaves the old key in the set until the last token
            signed with it has expired.
          </p>
        </>
      ),
    },
  ],
}
