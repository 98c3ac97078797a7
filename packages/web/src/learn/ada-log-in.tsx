import { Exchange } from '../components/exchange.tsx'
import { logInAsAda, useAdaToken } from './ada-token.ts'

/** A button that gets a real access token, for the tasks that need one. */
export function AdaLogIn() {
  const { login, token } = useAdaToken()
  return (
    <>
      <div class="row">
        <button type="button" class={token === undefined ? '' : 'secondary'} onClick={logInAsAda}>
          Log in as Ada
        </button>
        <span aria-live="polite">{token !== undefined && 'You have an access token of Ada.'}</span>
      </div>
      {login && (
        <details class="unfold" open={token === undefined}>
          <summary>The request and the reply</summary>
          <Exchange exchange={login} />
        </details>
      )}
    </>
  )
}
