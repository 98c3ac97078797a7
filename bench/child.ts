import { type ChildProcess, fork, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A child process that replies to messages. */
export interface Child {
  readonly pid: number
  /**
   * Sends a message and resolves with the result. Rejects if the handler throws or the process
   * ends.
   */
  ask<T>(message: object): Promise<T>
  stop(): Promise<void>
}

/**
 * Starts a file of this folder in a separate process, bound to the given core.
 * @param core any core if absent
 */
export async function startChild(file: string, { args = [], core, flags = [] }: ChildOptions = {}): Promise<Child> {
  const path = join(import.meta.dirname, file)
  const execArgv = ['--conditions=@sealwax/source', ...flags]
  const env = { ...process.env, NODE_ENV: 'production' }
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'ipc']
  // taskset replaces itself with the process, so the process sees only one core from the start.
  const bound = { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...execArgv] }
  const child = fork(path, [...args], { execArgv, ...(core !== undefined && bound), env, stdio })
  const [ready] = (await Promise.race([once(child, 'message'), ended(child, file)])) as [{ ready?: boolean }]
  if (ready.ready !== true) throw new Error(`${file} did not become ready`)
  return conversation(child, file)
}

interface ChildOptions {
  readonly args?: readonly string[]
  readonly core?: number
  readonly flags?: readonly string[]
}

async function ended(child: ChildProcess, file: string): Promise<never> {
  const [code, signal] = await once(child, 'exit')
  throw new Error(`${file} ended before it was ready: ${code ?? signal}`)
}

function conversation(child: ChildProcess, file: string): Child {
  let next = 0
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
    const waiting = open.get(id)
    open.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(`${file}: ${error}`))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of open.values()) reject(new Error(`${file} ended: ${code ?? signal}`))
    open.clear()
  })
  return {
    pid: child.pid as number,
    ask<T>(message: object) {
      next += 1
      const id = next
      return new Promise<T>((resolve, reject) => {
        open.set(id, { resolve: resolve as (value: unknown) => void, reject })
        child.send({ id, ...message })
      })
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

/**
 * Called in the child process: replies to each message with the result of the handler that its `do`
 * names, and reports that the process is ready.
 */
export function answer(handlers: Readonly<Record<string, (message: never) => unknown>>): void {
  process.on('message', async (message: { id: number; do: string }) => {
    try {
      const handler = handlers[message.do]
      if (handler === undefined) throw new Error(`there is no handler for ${message.do}`)
      process.send?.({ id: message.id, result: await handler(message as never) })
    } catch (error) {
      process.send?.({ id: message.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.on('SIGTERM', () => process.exit())
  process.on('disconnect', () => process.exit())
  process.send?.({ ready: true })
}

/** Processor time that this process has used, in microseconds. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
