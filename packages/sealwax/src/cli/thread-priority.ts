import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { constants, getPriority, setPriority } from 'node:os'

/** What libuv calls the threads of its pool. */
const POOL = 'libuv-worker\n'

/**
 * Lets the event loop go first where it and the threads that check passwords want the same core: without it, every other request waits for its share
 * of the core while log-ins flood in. Linux gives each thread a priority of its own (setpriority(2), "C library/kernel differences"); elsewhere
 * nothing is done. The pool belongs to the whole process, so this is for the process that is the auth server, not for a library inside another.
 * Throws when the threads cannot be found or may not be changed.
 * @param proc where the kernel shows its processes (proc(5))
 */
export async function letEventLoopGoFirst(proc = '/proc'): Promise<void> {
  if (process.platform !== 'linux') return
  // All threads of the pool start with its first job.
  await readFile(`${proc}/self/comm`)
  // Of another PID namespace, its numbers would be somebody else's threads.
  if (readlinkSync(`${proc}/self`) !== String(process.pid)) throw new Error(`${proc} does not show this process`)
  const threads = readdirSync(`${proc}/self/task`).filter(
    (id) => readFileSync(`${proc}/self/task/${id}/comm`, 'latin1') === POOL,
  )
  if (threads.length === 0) throw new Error(`No thread of this process is called ${POOL.trim()}`)
  const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority
  for (const id of threads) setPriority(Number(id), Math.min(getPriority() + PRIORITY_BELOW_NORMAL, PRIORITY_LOW))
}
