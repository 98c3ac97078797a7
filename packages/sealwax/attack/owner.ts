import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** A log-in of the owner. */
export interface OwnerLogin {
  readonly status: number
  /** Milliseconds. */
  readonly took: number
}

/** What the thread of the owner is given. */
export interface OwnerInput {
  /** The URL of the server. */
  readonly url: string
  /** The address of the client. */
  readonly ip: string
  /** The body of the log-in. */
  readonly credentials: object
}

/** The owner of an attacked account. */
export interface Owner {
  /** Starts to log in again and again, each time with a new connection. */
  begin(): void
  /** Waits for the last log-in, and returns all. */
  end(): Promise<readonly OwnerLogin[]>
}

/**
 * Starts a thread for the owner. The attackers would delay a client that shared their event loop,
 * whatever the server does.
 */
export async function startOwner(workerData: OwnerInput): Promise<Owner> {
  const thread = new Worker(new URL('owner-thread.ts', import.meta.url), { workerData })
  await once(thread, 'message')
  return {
    begin: () => thread.postMessage('begin'),
    async end() {
      thread.postMessage('end')
      const [logins] = await once(thread, 'message')
      await thread.terminate()
      return logins
    },
  }
}
