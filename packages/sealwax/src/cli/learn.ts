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
  console.log(`The lesson is at ${lesson.url}\nIts server exists in memory and ends with Ctrl-C.`)
  if (open) openBrowser(lesson.url)
  let closing: Promise<void> | undefined
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (closing ??= lesson.close()))
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
