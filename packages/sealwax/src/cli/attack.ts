import { text } from 'node:stream/consumers'
import { isLoopback } from '@sealwax/jwt/internal'
import { type AttackResult, attack } from '../attack/attack.ts'
import { logIn, readCredentials } from '../attack/credentials.ts'
import { AuthError } from '../errors.ts'

/** Options of `sealwax attack`. */
export interface AttackCommandOptions {
  readonly login?: string
  readonly method: string
  readonly cookie?: string
  readonly origin?: string
  readonly jwks?: string
  readonly refresh?: string
  readonly refreshGrace: string
  readonly json?: boolean
  readonly iOwnThis?: boolean
}

/** Sends hostile requests to a route and prints what it did not refuse. Needs no settings. */
export async function attackCommand(address: string, options: AttackCommandOptions): Promise<void> {
  const { login, method, cookie, jwks, iOwnThis = false, json = false } = options
  const url = readUrl(address, iOwnThis)
  const refresh = options.refresh === undefined ? undefined : readUrl(options.refresh, iOwnThis)
  const grace = readSeconds(options.refreshGrace)
  // A token is no argument: other processes can read those.
  const credentials = login === undefined ? readCredentials(await readToken()) : await logIn(login)
  const result = await attack({
    ...{ url, method: method.toUpperCase(), credentials },
    ...(cookie !== undefined && { cookie }),
    ...(options.origin !== undefined && { allowed: readOrigin(options.origin) }),
    ...(jwks !== undefined && { jwks }),
    ...(refresh !== undefined && { refresh: { url: refresh, grace } }),
  })
  if (json) console.log(JSON.stringify(result))
  else for (const line of describe(url, result)) console.log(line)
  if (result.findings.length > 0) process.exitCode = 1
}

function readUrl(address: string, isOwn: boolean): URL {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new AuthError('config_invalid', `"${address}" is not the URL of a route`)
  }
  const url = new URL(address)
  if (isOwn || isLoopback(url.hostname)) return url
  const detail = `${url.hostname} is not this machine. Attacking what is not yours is a crime: add --i-own-this if it is yours`
  throw new AuthError('config_invalid', detail)
}

function readOrigin(given: string): string {
  const origin = URL.canParse(given) ? new URL(given).origin : 'null'
  if (origin === given) return origin
  throw new AuthError('config_invalid', `--origin must be an origin such as https://app.example.com, not "${given}"`)
}

function readSeconds(given: string): number {
  if (/^\d{1,3}$/.test(given)) return Number(given) * 1000
  throw new AuthError('config_invalid', '--refresh-grace must be a number of seconds from 0 to 999')
}

async function readToken(): Promise<string> {
  if (!process.stdin.isTTY) return text(process.stdin)
  throw new AuthError('config_invalid', 'Give a valid token on standard input, or a command that prints one: --login')
}

function describe(url: URL, { attempts, findings, left }: AttackResult): string[] {
  return [
    ...findings.map(({ name, source, fault }) => `FAIL  ${name}: ${fault}. ${source}`),
    findings.length === 0
      ? `${attempts} hostile requests: ${url.origin}${url.pathname} refused all of them.`
      : `${attempts} hostile requests, ${findings.length} finding${findings.length === 1 ? '' : 's'}.`,
    'Not tried:',
    ...left.map((line) => `  ${line}`),
  ]
}
