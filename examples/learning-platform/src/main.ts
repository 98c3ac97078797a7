import { join } from 'node:path'
import { AuthError } from 'sealwax'
import { welcome } from './demo.ts'
import { startServer } from './server.ts'

/**
 * Reads PORT (default 5000), DATA_DIR (default: the directory of this example), ACCESS_TTL and
 * REFRESH_GRACE (durations such as `2s`; default: those of Sealwax, 15 minutes and 30 seconds).
 */
async function main(): Promise<void> {
  const { PORT = '5000', DATA_DIR = join(import.meta.dirname, '..'), ACCESS_TTL, REFRESH_GRACE } = process.env
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) {
    return stop(`PORT is not a port number: ${JSON.stringify(PORT)}. Type: PORT=5001 npm start`)
  }
  try {
    const server = await startServer({
      port: Number(PORT),
      dataDir: DATA_DIR,
      ...(ACCESS_TTL !== undefined && { accessTtl: ACCESS_TTL as `${number}s` }),
      ...(REFRESH_GRACE !== undefined && { refreshGrace: REFRESH_GRACE as `${number}s` }),
    })
    console.log(welcome(server.url))
    // npm forwards Ctrl-C although the terminal sends it, too, so the signal may arrive twice.
    let closing: Promise<void> | undefined
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (closing ??= server.close()))
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === 'listen') {
      const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`
      stop(`Port ${PORT} ${why}. Type: PORT=${PORT === '5001' ? 5002 : 5001} npm start`)
    } else if (error instanceof AuthError || syscall !== undefined) {
      stop(`The example cannot start: ${(error as Error).message} (${code}).`)
    } else {
      throw error
    }
  }
}

function stop(sentence: string): void {
  console.error(sentence)
  process.exitCode = 1
}

void main()
