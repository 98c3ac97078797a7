import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { OwnerInput, OwnerLogin } from './owner.ts'

const PAUSE_MS = 200

const { url, ip, credentials } = workerData as OwnerInput
const logins: OwnerLogin[] = []
let ended = false

/** Sends a request with a connection of its own. */
function send(path: string, body?: object): Promise<OwnerLogin> {
  const started = performance.now()
  const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': ip }
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { agent: false, method: body ? 'POST' : 'GET', headers }, async (reply) => {
      await text(reply)
      resolve({ status: reply.statusCode ?? 0, took: performance.now() - started })
    })
    sent.on('error', reject).end(body && JSON.stringify(body))
  })
}

parentPort?.on('message', async (message: 'begin' | 'end') => {
  if (message === 'end') {
    ended = true
    return
  }
  do {
    logins.push(await send('/login', credentials))
    await delay(PAUSE_MS)
  } while (!ended)
  parentPort?.postMessage(logins)
})

// So that the first log-in does not include what happens only once.
await send('/healthz')
parentPort?.postMessage('ready')
