import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createAuth } from 'sealwax'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

// The auth server. In production this is `sealwax serve`. Here it also has a demo user, and a route
// that changes the roles of that user.
const port = Number(process.env.PORT)
const auth = await createAuth({
  issuer: `http://127.0.0.1:${port}`,
  audience: 'https://api.example.com',
  secret: randomBytes(32).toString('base64'),
  store: sqliteStore(join(process.env.DATA_DIR ?? '.', 'auth.db')),
})
await auth.users.create({ id: 'user-123', email: 'alex@example.com', password: 'change-this-demo-password' })

const handler = toNodeHandler(auth)
createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/demo/promote') {
    void auth.users.setRoles('user-123', ['teacher']).then(() => response.writeHead(204).end())
  } else {
    handler(request, response)
  }
}).listen(port, '127.0.0.1', () => console.log(`auth server on http://127.0.0.1:${port}`))
