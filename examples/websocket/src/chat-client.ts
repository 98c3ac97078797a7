/** What `POST /login` and `POST /refresh` return. */
interface Tokens {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token: string
}

/** A connection of a user who is logged in. */
export interface Chat {
  say(text: string): void
  /** Ends the session. The server then closes the socket. */
  logOut(): Promise<void>
  /** Resolves when the socket is closed: 4401 `token_revoked` after a log-out. */
  readonly closed: Promise<{ code: number; reason: string }>
}

/**
 * Logs in and joins the chat. Runs in Node and in browsers.
 *
 * @param url the server, such as `http://127.0.0.1:3000`
 * @param hear is called with what is said
 */
export async function joinChat(
  url: string,
  credentials: { email: string; password: string },
  hear: (from: string, text: string) => void,
): Promise<Chat> {
  let tokens = (await post(`${url}/login`, credentials)) as Tokens
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/chat`)
  const ready = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<{ code: number; reason: string }>()
  let timer: ReturnType<typeof setTimeout> | undefined

  // A browser cannot send a header with a WebSocket, and URLs are logged: the token is a message.
  const authenticate = () => {
    socket.send(JSON.stringify({ type: 'authenticate', token: tokens.access_token }))
    timer = setTimeout(renew, tokens.expires_in * 750) // milliseconds: at three quarters of its life
  }
  const renew = async () => {
    try {
      tokens = (await post(`${url}/refresh`, { refresh_token: tokens.refresh_token })) as Tokens
      authenticate()
    } catch {
      socket.close() // the session has ended, or the server cannot be reached
    }
  }

  socket.addEventListener('open', authenticate)
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data)
    if (message.type === 'ready') ready.resolve()
    else hear(message.from, message.text)
  })
  socket.addEventListener('close', ({ code, reason }) => {
    clearTimeout(timer)
    closed.resolve({ code, reason })
    ready.reject(new Error(`closed before the server was ready: ${code} ${reason}`))
  })
  await ready.promise

  return {
    say: (text) => socket.send(text),
    async logOut() {
      await post(`${url}/logout`, { refresh_token: tokens.refresh_token })
    },
    closed: closed.promise,
  }
}

async function post(url: string, body: object): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json' }
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
