import { useId, useState } from 'preact/hooks'
import { Code } from '../../components/code.tsx'
import { AdaLogIn } from '../ada-log-in.tsx'
import { useAdaToken } from '../ada-token.ts'
import type { LiveProps, Step } from '../step.ts'
import { readToken, signedWithOwnKey, signedWithSecret, unsigned } from './forgeries.ts'
import { Attempt } from './tamper-attempt.tsx'
import { ChangedClaims } from './tamper-claims.tsx'

function NoAlgorithm({ done }: LiveProps) {
  const { token } = useAdaToken()
  return (
    <>
      <AdaLogIn />
      <Attempt
        button="Send it with alg none"
        forge={unsigned}
        onCode={(code) => {
          if (code === 'token_algorithm_not_allowed') done()
        }}
      >
        {token !== undefined && (
          <Code
            label="the header of the forged token"
            text={JSON.stringify(readToken(unsigned(token)).header, undefined, 2)}
          />
        )}
      </Attempt>
    </>
  )
}

function OtherSecret({ done }: LiveProps) {
  const id = useId()
  const [secret, setSecret] = useState('')
  return (
    <>
      <AdaLogIn />
      <Attempt
        button="Sign with my secret and send"
        isReady={secret !== ''}
        forge={(token) => signedWithSecret(token, secret)}
        onCode={(code) => {
          if (code === 'token_algorithm_not_allowed') done()
        }}
      >
        <div class="field">
          <label for={id}>Your secret</label>
          <input
            id={id}
            class="mono"
            autocomplete="off"
            spellcheck={false}
            value={secret}
            aria-describedby={`${id}-hint`}
            onInput={(event) => setSecret(event.currentTarget.value)}
          />
          <p class="hint" id={`${id}-hint`}>
            Any text. It stays in this page.
          </p>
        </div>
      </Attempt>
    </>
  )
}

function OtherKey({ done }: LiveProps) {
  return (
    <>
      <AdaLogIn />
      <Attempt
        button="Sign with a new key and send"
        forge={signedWithOwnKey}
        onCode={(code) => {
          if (code === 'token_signature_invalid') done()
        }}
      />
    </>
  )
}

/** Step 4: forged tokens, and the check that refuses each. */
export const tamper: Step = {
  id: 'tamper',
  title: 'Tamper: forge a token',
  text: (
    <>
      <p>
        Log in as Ada, and try to make a token with more rights from hers. The guard of this server checks every token
        in the same order and stops at the first check that fails. Each refusal has a <code>code</code> that says which
        check it was.
      </p>
      <p>
        The server signs with ES256: with a private key that never leaves it, and a public key that anybody may have.
      </p>
    </>
  ),
  tasks: [
    {
      id: 'claims',
      title: 'Change a claim, and keep the signature',
      text: (
        <p>
          Make Ada a teacher in <code>roles</code>, or put <code>grace</code> into <code>sub</code>. The signature stays
          as it was.
        </p>
      ),
      Live: ChangedClaims,
      afterwards: (
        <p>
          <code>token_signature_invalid</code>. The signature is computed from the header and the payload, so a changed
          payload needs another signature, and only the server has the key to make one. The guard did not have to look
          up Ada’s roles: it checks the signature before any claim.
        </p>
      ),
    },
    {
      id: 'none',
      title: 'Say that the token needs no signature',
      text: (
        <p>
          RFC 7519 has unsecured tokens: <code>alg</code> is <code>none</code> and the third part is empty. This forged
          token says so, with <code>sub</code> set to <code>grace</code> and the role <code>teacher</code>.
        </p>
      ),
      Live: NoAlgorithm,
      afterwards: (
        <p>
          <code>token_algorithm_not_allowed</code>. In 2015 several JWT libraries accepted such tokens, because they let
          the token say how to check it. Anybody can write a header. So the server decides which algorithms it accepts,
          and <code>none</code> is never one of them (RFC 8725, section 3.2).
        </p>
      ),
    },
    {
      id: 'other-secret',
      title: 'Sign with a secret of your own',
      text: (
        <p>
          HS256 needs no key pair: one secret signs and verifies. Set <code>alg</code> to <code>HS256</code> and sign
          the token of a teacher with a secret that you choose. The signature will be correct for your secret.
        </p>
      ),
      Live: OtherSecret,
      afterwards: (
        <p>
          <code>token_algorithm_not_allowed</code> again. The key that <code>kid</code> names is an ES256 key, so the
          guard accepts ES256 with it and nothing else. A guard that obeys the header instead would use the public key
          as an HS256 secret. Everybody knows the public key, so everybody could then sign tokens. This attack is called
          algorithm confusion.
        </p>
      ),
    },
    {
      id: 'other-key',
      title: 'Use the right algorithm and the wrong key',
      text: (
        <p>
          Now the header is exactly that of the real token: <code>ES256</code> and the same <code>kid</code>. The page
          makes a new ES256 key pair and signs the token of a teacher with it.
        </p>
      ),
      Live: OtherKey,
      afterwards: (
        <p>
          <code>token_signature_invalid</code>. The guard verifies with its own copy of the key that <code>kid</code>{' '}
          names. The name can be copied; the private key cannot.
        </p>
      ),
    },
  ],
}
