import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientStorage } from '@sealwax/client'

/**
 * Keeps each value in a file that only its owner can read. On a phone, the storage of the system
 * takes the place of this one: it also encrypts the values.
 *
 * @param folder is created if there is none
 */
export function secureStorage(folder: string) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = (key: string) => join(folder, `${key}.secret`) // the client's keys are safe file names

  return {
    async getItem(key) {
      try {
        return await readFile(file(key), 'utf8')
      } catch (error) {
        // Any other error must reach the client: it does not mean that nobody is logged in.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw error
      }
    },
    async setItem(key, value) {
      // Complete or not at all, even if the process dies: without its refresh token, the user would
      // have to log in again.
      const draft = file(`${key}.draft-${randomUUID()}`)
      await writeFile(draft, value, { mode: 0o600, flush: true })
      await rename(draft, file(key))
    },
    removeItem: (key) => rm(file(key), { force: true }),
  } satisfies ClientStorage
}
