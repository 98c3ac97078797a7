import { startLesson } from '../../packages/sealwax/src/learn/server.ts'
import type { Suite } from '../suite.ts'
import { type Look, walkLesson } from './walk.ts'

const LOOKS: readonly Look[] = [
  { width: 375, scheme: 'light', hands: 'pointer' },
  { width: 1280, scheme: 'dark', hands: 'keyboard' },
  { width: 375, scheme: 'dark', hands: 'keyboard' },
  { width: 1280, scheme: 'light', hands: 'pointer' },
]

/** A reader does every step of the lesson, at several sizes. */
export const lesson: Suite = {
  name: 'lesson',
  async run(browser, { short, screenshots, print }) {
    for (const look of short ? LOOKS.slice(0, 1) : LOOKS) {
      const server = await startLesson(0)
      const started = performance.now()
      try {
        await walkLesson(browser, { url: server.url, short, screenshots, ...look })
      } finally {
        await server.close()
      }
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      print(`${look.width} px, ${look.scheme}, ${look.hands}: ${seconds} s`)
    }
  },
}
