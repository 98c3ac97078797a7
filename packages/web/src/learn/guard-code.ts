/** A framework, and a whole program that guards a route with it. */
export interface GuardedProgram {
  readonly framework: string
  readonly code: string
}

const GUARD = `const guard = createGuard({
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
})`

/** Returns a program that imports the guard, its adapter and the framework. */
function program(adapter: string, framework: readonly string[], body: string): string {
  const imports = [
    "import { createGuard } from '@sealwax/guard'",
    `import { protect } from '@sealwax/guard/${adapter}'`,
    ...framework,
  ]
  return [imports.join('\n'), GUARD, body].join('\n\n')
}

const EXPRESS = `const app = express()

app.get('/grades', protect(guard, { role: 'teacher' }), (req, res) =>
  res.json({ teacher: res.locals.auth.subject, grades: { ada: 'A' } }),
)

app.listen(3000)`

const FASTIFY = `const app = Fastify()

app.get('/grades', { onRequest: protect(guard, { role: 'teacher' }) }, (request) => (
  { teacher: request.auth.subject, grades: { ada: 'A' } }
))

await app.listen({ port: 3000 })`

const HONO = `const app = new Hono()

app.get('/grades', protect(guard, { role: 'teacher' }), (c) =>
  c.json({ teacher: c.var.auth.subject, grades: { ada: 'A' } }),
)

serve({ fetch: app.fetch, port: 3000 })`

/** The same route in three frameworks. A test runs these programs. */
export const guardedPrograms: readonly GuardedProgram[] = [
  { framework: 'Express', code: program('express', ["import express from 'express'"], EXPRESS) },
  { framework: 'Fastify', code: program('fastify', ["import Fastify from 'fastify'"], FASTIFY) },
  {
    framework: 'Hono',
    code: program('hono', ["import { Hono } from 'hono'", "import { serve } from '@hono/node-server'"], HONO),
  },
]
