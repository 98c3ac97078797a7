import { spawn } from 'node:child_process'
import { startLesson } from '../learn/server.ts'

/** Options of `sealwax learn`. */
interface LearnOptions {
  readonly port: number
  readonly open: boolean
}

/** Starts the lesson and opens it in a browser. Needs no settings. */
export async function learn({ port, open }: LearnOptions): Promise<void> {
  const lesson = await startLesson(port)
  // There is nothing to store and nobody to wait for.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit())
  console.log(`The lesson is ready: ${lesson.url}   (Ctrl-C stops it)`)
  if (open) openBrowser(lesson.url)
}

const OPENERS: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['explorer'],
  linux: ['xdg-open'],
}

/** Without a browser, the address that was printed is enough. */
function openBrowser(url: string): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open']
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
