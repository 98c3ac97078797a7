import { AuthError } from '../errors.ts'
import type { Context } from './context.ts'

/**
 * Stores a named value of the installation, unless it is stored already. If the store accepts no
 * writes, it only logs a warning: the next start tries again.
 */
export async function note({ store, log }: Pick<Context, 'store' | 'log'>, name: string, value: string): Promise<void> {
  if ((await store.committed.metadata.get(name)) === value) return
  try {
    await store.transaction(({ metadata }) => metadata.set(name, value))
  } catch (error) {
    if (!(error instanceof AuthError) || error.code !== 'temporarily_unavailable') throw error
    log.warn({ err: error, name }, 'a value of the installation could not be stored')
  }
}
