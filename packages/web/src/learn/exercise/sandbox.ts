import { hmac } from './hmac.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

/** Why a run ended before all inputs were tried. */
export type Stop =
  /** The code took longer than {@link LIMIT_MS} for one input. */
  | { readonly reason: 'time' }
  /** The code has a syntax error, or threw outside of its function. */
  | { readonly reason: 'error'; readonly message: string; readonly line: number }
  /** The sandbox did not load. */
  | { readonly reason: 'absent' }

/** What came of a run. */
export interface Run<Outcome> {
  /** One for each input, in their order; fewer if the run was stopped. */
  readonly outcomes: readonly Outcome[]
  readonly stop: Stop | undefined
}

/** How long the code may take for one input. */
export const LIMIT_MS = 1000

/** How long the sandbox may take to load. */
const START_MS = 10_000

/**
 * Runs code of the reader in a worker in a frame of its own, which is removed afterwards. The
 * worker can reach neither the page nor the network.
 *
 * @param before the script that comes before the code; it calls `answer`
 */
export function runInSandbox<Outcome>(before: string, code: string, inputs: readonly unknown[]): Promise<Run<Outcome>> {
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.title = 'Sandbox'
  frame.hidden = true
  frame.src = './learn/sandbox'
  const tell = (message: ToWorker | string) => frame.contentWindow?.postMessage(message, '*')
  const outcomes: Outcome[] = []
  return new Promise<Run<Outcome>>((resolve) => {
    const end = (stop?: Stop) => {
      clearTimeout(timer)
      removeEventListener('message', hear)
      // The worker ends with its frame.
      frame.remove()
      resolve({ outcomes, stop })
    }
    const timeIsUp = () => end({ reason: 'time' })
    let timer = setTimeout(() => end({ reason: 'absent' }), START_MS)
    let hasStarted = false
    const listeners: Listeners<Outcome> = {
      started() {
        // The code of the reader could send it again and again, and so would never be too slow.
        if (hasStarted) return
        hasStarted = true
        clearTimeout(timer)
        timer = setTimeout(timeIsUp, LIMIT_MS)
        tell({ type: 'inputs', inputs })
      },
      async hmac({ id, secret, text }) {
        const areStrings = typeof secret === 'string' && typeof text === 'string'
        const result = areStrings ? await hmac(secret, text).catch(() => undefined) : undefined
        tell({ type: 'hmac', id, result })
      },
      outcome({ outcome }) {
        clearTimeout(timer)
        timer = setTimeout(timeIsUp, LIMIT_MS)
        if (outcomes.push(outcome as Outcome) === inputs.length) end()
      },
      failed({ message, line }) {
        if (typeof message === 'string') end({ reason: 'error', message: message.replace(/^Uncaught /, ''), line })
      },
    }
    const hear = ({ source, data }: MessageEvent<FromWorker>) => {
      if (source !== frame.contentWindow) return
      // The code of the reader can send anything.
      if (typeof data === 'object' && data !== null && Object.hasOwn(listeners, data.type))
        void listeners[data.type](data as never)
    }
    addEventListener('message', hear)
    frame.addEventListener('load', () => tell(`${before}\n${code}`), { once: true })
    document.body.append(frame)
  })
}

/** One for each type of message. */
type Listeners<Outcome> = {
  readonly [Type in FromWorker['type']]: (
    message: Extract<FromWorker, { type: Type }>,
  ) => Outcome | void | Promise<void>
}

/**
 * Returns the line in the code of the reader.
 *
 * @param line a line of the whole script
 * @returns undefined if the line is in the script before it
 */
export function lineOfCode(before: string, line: number | undefined): number | undefined {
  const offset = before.split('\n').length
  return line !== undefined && line > offset ? line - offset : undefined
}
