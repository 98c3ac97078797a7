/** A framework, and a whole program that guards a route with it. */
export interface GuardedProgram {
  readonly framework: string
  readonly code: string
}

const GUARD = `const guard = createGuard({
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
})`

const EXPRESS = `import { createGuard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/express'
import express from 'express'

${GUARD}
const app = express()

app.get('/grades', protect(guard, { role: 'teacher' }), (req, res) =>
  res.json({ teacher: res.locals.auth.subject, grades: { ada: 'A' } }),
)

app.listen(3000)`

const FASTIFY = `import { createGuard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/fastify'
import Fastify from 'fastify'

${GUARD}
const app = Fastify()

app.get('/grades', { onRequest: protect(guard, { role: 'teacher' }) }, (request) => (
  { teacher: request.auth.subject, grades: { ada: 'A' } }
))

await app.listen({ port: 3000 })`

const HONO = `import { serve } from '@hono/node-server'
import { createGuard } from '@sealwax/guard'
import { protect } from '@sealwax/guard/hono'
import { Hono } from 'hono'

${GUARD}
const app = new Hono()

app.get('/grades', protect(guard, { role: 'teacher' }), (c) =>
  c.json({ teacher: c.var.auth.subject, grades: { ada: 'A' } }),
)

serve({ fetch: app.fetch, port: 3000 })`

/** The same route in three frameworks. A test runs these programs. */
export const guardedPrograms: readonly GuardedProgram[] = [
  { framework: 'Express', code: EXPRESS },
  { framework: 'Fastify', code: FASTIFY },
  { framework: 'Hono', code: HONO },
]
