import { createServer } from 'node:http'
import { createGuard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/node'

// An API. It knows only the issuer, and finds and follows keys and revocations from there.
const port = Number(process.env.PORT)
const guard = createGuard({ issuer: process.env.ISSUER ?? '', audience: 'https://api.example.com' })

createServer(
  protect(guard, (_request, response, auth) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ api: port, user_id: auth.subject, roles: auth.roles }))
  }),
).listen(port, '127.0.0.1', () => console.log(`api on http://127.0.0.1:${port}`))
