import { createInterface } from 'node:readline'
import { joinChat } from './chat-client.ts'

const url = `http://127.0.0.1:${process.env.PORT ?? 3000}`
const email = process.argv[2] ?? 'alex@example.com'

const chat = await joinChat(url, { email, password: 'change-this-demo-password' }, (from, text) => {
  console.log(`${from}: ${text}`)
})
console.log(`Logged in as ${email}. Each line is sent; /logout logs out.`)

const lines = createInterface({ input: process.stdin })
lines.on('line', async (line) => {
  if (line !== '/logout') return chat.say(line)
  const began = performance.now()
  await chat.logOut()
  await chat.closed
  console.log(`The server closed the socket ${Math.round(performance.now() - began)} ms after the log-out was sent.`)
})
const { code, reason } = await chat.closed
console.log(`Closed: ${code} ${reason}`)
lines.close()
