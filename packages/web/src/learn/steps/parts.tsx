import type { Step } from '../step.ts'
import { TakeApart } from './parts-apart.tsx'
import { PutTogether } from './parts-together.tsx'

/** Step 1: header, payload, signature. */
export const parts: Step = {
  id: 'parts',
  title: 'Three parts: take one apart, put one together',
  text: (
    <>
      <p>
        A JSON Web Token (JWT) is a string that a server gives to a client, so that the client can show later who it is.
        It has three parts with dots between them: <strong>header</strong>, <strong>payload</strong> and{' '}
        <strong>signature</strong>.
      </p>
      <p>
        Each part is written in base64url, which consists of characters that are allowed everywhere in HTTP: letters,
        digits, <code>-</code> and <code>_</code>.
      </p>
    </>
  ),
  tasks: [
    {
      id: 'apart',
      title: 'Take a token apart',
      text: (
        <p>
          Log in to get a real token. Choose a part and decode it, first four characters by hand and then the whole
          part. Do the same with the other two.
        </p>
      ),
      Live: TakeApart,
      afterwards: (
        <p>
          The header and the payload are JSON. The members of the payload are called claims: statements about the user
          and about the token. The signature is bytes without a meaning of their own; 64 of them with ES256. You needed
          no key for any of this.
        </p>
      ),
    },
    {
      id: 'together',
      title: 'Put a token together',
      text: (
        <p>
          Write a payload of your own: any claims you like. The first two parts appear while you type. The third needs a
          key; with the algorithm HS256, the key is a secret.
        </p>
      ),
      Live: PutTogether,
      afterwards: (
        <p>
          Anybody can make the first two parts. Without the secret, nobody can make the third. Change one letter of the
          payload and sign again: the whole signature changes. Then go back to the first payload: the same secret gives
          the same signature again.
        </p>
      ),
    },
  ],
}
