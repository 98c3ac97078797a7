import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { constants, getPriority, setPriority } from 'node:os'

/** The name of the threads in libuv's pool. */
const POOL = 'libuv-worker\n'

/**
 * Lowers the priority of the threads that check passwords, so that other requests stay fast during
 * many log-ins. Only Linux has a priority per thread (setpriority(2), "C library/kernel
 * differences"); other systems are unchanged. The pool is shared by the whole process, so only the
 * server uses this, not the library. Throws if the threads cannot be found or changed.
 *
 * @param proc The path of procfs (proc(5)).
 */
export async function letEventLoopGoFirst(proc = '/proc'): Promise<void> {
  if (process.platform !== 'linux') return
  // The first job starts all threads of the pool.
  await readFile(`${proc}/self/comm`)
  // In another PID namespace, the ids would be of other threads.
  if (readlinkSync(`${proc}/self`) !== String(process.pid)) throw new Error(`${proc} does not show this process`)
  const threads = readdirSync(`${proc}/self/task`).filter(
    (id) => readFileSync(`${proc}/self/task/${id}/comm`, 'latin1') === POOL,
  )
  if (threads.length === 0) throw new Error(`No thread of this process is called ${POOL.trim()}`)
  const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority
  for (const id of threads) setPriority(Number(id), Math.min(getPriority() + PRIORITY_BELOW_NORMAL, PRIORITY_LOW))
}
