import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { protect } from '@sealwax/guard/node'
import { authenticateSocket } from '@sealwax/guard/sockets'
import { createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'
import { type WebSocket, WebSocketServer } from 'ws'

const port = Number(process.env.PORT ?? 3000)
const url = `http://127.0.0.1:${port}`

const auth = await createAuth({
  issuer: url,
  audience: url,
  accessTtl: (process.env.ACCESS_TTL ?? '15m') as `${number}m`,
  secret: randomBytes(48).toString('base64'), // a demo: a real program has the same one at each start
  store: sqliteStore(':memory:'), // a demo: a real program has a file, or Postgres
})
const password = 'change-this-demo-password'
await auth.users.create({ id: 'user-123', email: 'alex@example.com', password })
await auth.users.create({ id: 'user-456', email: 'bob@example.com', password })

const handler = toNodeHandler(auth) // /login, /refresh, /logout …; other paths go on to the route below
const profile = protect(auth.guard, (_req, res, { subject }) => {
  res.setHeader('Content-Type', 'application/json').end(JSON.stringify({ user_id: subject, sockets: room.size }))
})
const server = createServer((req, res) => {
  handler(req, res, () => {
    if (req.method === 'GET' && req.url === '/profile') profile(req, res)
    else res.writeHead(404).end()
  })
})

/** The sockets that may read what is said. A socket is in it only while its token is accepted. */
const room = new Set<WebSocket>()

const sockets = new WebSocketServer({ server, path: '/chat', maxPayload: 64 * 1024 })
sockets.on('connection', async (socket) => {
  socket.on('close', () => room.delete(socket))
  socket.on('error', () => socket.terminate()) // such as a message that is too long

  // Waits for {"type":"authenticate","token":"…"}. Closes the socket if it does not come in time,
  // if the token is refused, and later, when the token expires or the user logs out.
  const authenticated = await authenticateSocket(auth.guard, socket, {
    onMessage: (data, { subject }) => say(subject, String(data)),
  })
  if (authenticated === undefined) return // closed already
  room.add(socket)
  socket.send(JSON.stringify({ type: 'ready', user_id: authenticated.subject }))
})

function say(from: string, text: string): void {
  for (const socket of room) socket.send(JSON.stringify({ type: 'message', from, text }))
}

server.listen(port, '127.0.0.1', () =>
  console.log(`The chat is at ${url.replace('http', 'ws')}/chat (log in at ${url})`),
)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    auth.drain() // guards of other services wait here for revocations, for up to 25 seconds
    for (const socket of sockets.clients) socket.close(1001) // the server goes away
    server.close(() => void auth.close())
  })
}
