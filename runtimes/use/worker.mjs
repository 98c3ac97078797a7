// A Worker whose routes are guarded, with the compatibility flag nodejs_compat.
import { createGuard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/hono'
import { importKey } from '@sealwax/jwt'
import { Hono } from 'hono'

const app = new Hono()
let guard
app.use('*', (c, next) => {
  // A Worker has its settings when the first request comes.
  guard ??= createGuard({
    ...{ issuer: 'https://auth.example.com', audience: 'api', revocation: null },
    keys: importKey(JSON.parse(c.env.PUBLIC_KEY)),
  })
  return protect(guard)(c, next)
})
app.get('/', (c) => c.text(c.var.auth.subject))

export default app
