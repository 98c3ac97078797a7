import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { SECRET, tempDir } from '../server.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')

export type LogLine = Record<string, unknown> & { msg: string; level: number }

export interface Served extends AsyncDisposable {
  url: string
  port: number
  lines: LogLine[]
  /** Waits for a log line. Lines logged before the call count too. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine>
  signal(name: NodeJS.Signals): void
  /** Resolves when the process has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/**
 * Starts `sealwax serve` as a separate process with a new database on a free port.
 * @param starting called with the log before the server listens
 * @param through a wrapper command that runs the command appended to it
 */
export async function startServed(
  settings: Record<string, string> = {},
  { starting, through = [] }: { starting?: (lines: LogLine[]) => Promise<void>; through?: string[] } = {},
): Promise<Served> {
  const dir = tempDir()
  const [command = '', ...argv] = [...through, process.execPath, BIN, 'serve']
  const child = spawn(command, argv, {
    env: {
      PATH: process.env.PATH ?? '',
      SEALWAX_ISSUER: 'https://auth.example.com',
      SEALWAX_AUDIENCE: 'api',
      SEALWAX_SECRET: SECRET,
      SEALWAX_DATABASE_URL: `sqlite:${join(dir.path, 'auth.db')}`,
      SEALWAX_PORT: '0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended: Served['ended'] = new Promise((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  )
  const lines: LogLine[] = []
  const waiting = new Set<() => void>()
  createInterface(child.stdout).on('line', (text) => {
    lines.push(JSON.parse(text))
    for (const look of [...waiting]) look()
  })
  const logged = (matches: (line: LogLine) => boolean) => {
    const found = Promise.withResolvers<LogLine>()
    const look = () => {
      const line = lines.find(matches)
      if (line === undefined) return
      waiting.delete(look)
      found.resolve(line)
    }
    waiting.add(look)
    look()
    void ended.then(() => found.reject(new Error(`the server has ended: ${JSON.stringify(lines.at(-1))}`)))
    return found.promise
  }
  await starting?.(lines)
  const { url } = await logged(({ msg }) => msg === 'listening')
  return {
    ...{ url: String(url), port: Number(new URL(String(url)).port), lines, logged },
    signal: (name) => void child.kill(name),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      dir[Symbol.dispose]()
    },
  }
}

export interface CertificateFiles {
  cert: string
  key: string
}

/** Creates a self-signed certificate and its key as PEM files in a directory. */
export function makeCertificate(directory: string, name: string): CertificateFiles {
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost']
  const out = ['-keyout', files.key, '-out', files.cert]
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...curve, ...out, ...subject], { stdio: 'pipe' })
  return files
}
