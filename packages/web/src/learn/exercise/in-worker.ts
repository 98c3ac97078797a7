import type { FromWorker, ToWorker } from './protocol.ts'

/** This file becomes part of the script of the worker, before the code of the reader. */

const waiting = new Map<number, (result: string | undefined) => void>()

function say(message: FromWorker): void {
  postMessage(message)
}

/** Asks the page for an HMAC: the sandbox is not a secure context, so it has no WebCrypto. */
export async function hmac(secret: string, text: string): Promise<string> {
  if (typeof secret !== 'string' || typeof text !== 'string') throw new TypeError('hmac expects two strings')
  const id = waiting.size
  const result = await new Promise<string | undefined>((resolve) => {
    waiting.set(id, resolve)
    say({ type: 'hmac', id, secret, text })
  })
  if (result === undefined) throw new Error('hmac expects a secret that is not empty')
  return result
}

/** Waits for the inputs of the page and tries them one after the other. */
export function answer<Input>(tryOne: (input: Input) => Promise<unknown>): void {
  addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
    if (data.type === 'hmac') waiting.get(data.id)?.(data.result)
    else for (const input of data.inputs) say({ type: 'outcome', outcome: await tryOne(input as Input) })
  })
  say({ type: 'started' })
}
