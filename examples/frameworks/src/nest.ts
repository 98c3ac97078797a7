import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import { Controller, Get, Module, Req, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createAuth } from 'sealwax'
import { type ProtectedRequest, protect } from 'sealwax/nest'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

const port = Number(process.env.PORT ?? 3000)
const url = `http://127.0.0.1:${port}`

const auth = await createAuth({
  issuer: url,
  audience: url,
  secret: randomBytes(48).toString('base64'), // a demo: a real program has the same one at each start
  store: sqliteStore(':memory:'), // a demo: a real program has a file, or Postgres
})
const password = 'change-this-demo-password'
await auth.users.create({ id: 'user-123', email: 'alex@example.com', password })
await auth.users.create({ id: 'user-456', email: 'bob@example.com', password, roles: ['teacher'] })

// Node removes types but does not run decorators, so this file calls them as functions, as compiled
// code does. In a Nest project, which is compiled, write the two classes like this:
//
// @Controller()
// class AppController {
//   @Get('profile')
//   @UseGuards(protect(auth.guard))
//   profile(@Req() request: ProtectedRequest) {
//     return { user_id: request.auth.subject, message: 'Protected profile' }
//   }
//
//   @Get('reports')
//   @UseGuards(protect(auth.guard, { role: 'teacher' }))
//   reports() {
//     return { reports: ['January', 'February'] }
//   }
// }
//
// @Module({ controllers: [AppController] })
// class AppModule {}
class AppController {
  profile(request: ProtectedRequest) {
    return { user_id: request.auth.subject, message: 'Protected profile' }
  }

  reports() {
    return { reports: ['January', 'February'] }
  }
}
class AppModule {}

const decorateMethod = (name: 'profile' | 'reports', ...decorators: MethodDecorator[]) => {
  const method = Object.getOwnPropertyDescriptor(AppController.prototype, name) as PropertyDescriptor
  for (const decorate of decorators) decorate(AppController.prototype, name, method)
}
decorateMethod('profile', Get('profile'), UseGuards(protect(auth.guard)))
Req()(AppController.prototype, 'profile', 0)
decorateMethod('reports', Get('reports'), UseGuards(protect(auth.guard, { role: 'teacher' })))
Controller()(AppController)
Module({ controllers: [AppController] })(AppModule)

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
app.use(toNodeHandler(auth)) // /login, /refresh, /logout …; other paths go on to the controllers

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    auth.drain() // guards of other services wait here for revocations, for up to 25 seconds
    await app.close()
    await auth.close()
  })
}
await app.listen(port, '127.0.0.1')
console.log(`Nest: ${url}`)
