/** A request that the server of the lesson saw. */
export interface SeenRequest {
  /** Increases by one with each request. */
  readonly id: number
  readonly method: string
  readonly path: string
  readonly origin: string | null
  /** The header `Sec-Fetch-Site`. */
  readonly site: string | null
  /** Whether the refresh cookie arrived. */
  readonly cookie: boolean
  readonly status: number
  /** The `code` of a refusal. */
  readonly code: string | null
}

/** What became of the request of a foreign page. */
export type Outcome = 'none' | 'bare' | 'refused' | 'accepted'

/** Says what became of a request, which is undefined if it did not arrive. */
export function outcomeOf(request: SeenRequest | undefined): Outcome {
  if (request === undefined) return 'none'
  if (!request.cookie) return 'bare'
  return request.status < 400 ? 'accepted' : 'refused'
}

/** Returns a request as the server saw it, in lines. */
export function asSeen({ method, path, origin, site, cookie, status, code }: SeenRequest): string {
  return [
    `${method} ${path}`,
    `Origin: ${origin ?? '(not sent)'}`,
    `Sec-Fetch-Site: ${site ?? '(not sent)'}`,
    `Cookie: ${cookie ? 'lesson=…' : '(not sent)'}`,
    '',
    `Reply: ${status}${code === null ? '' : ` ${code}`}`,
  ].join('\n')
}

/** Returns what a script reported, as text. It may be anything that postMessage can send. */
export function asText(report: unknown): string {
  try {
    return JSON.stringify(report, undefined, 2) ?? String(report)
  } catch {
    // A cycle or a BigInt.
    return String(report)
  }
}

/** Returns the refresh token in a report, wherever it is in it. */
export function tokenIn(report: unknown): string | undefined {
  return /swr_[\w-]+/.exec(asText(report))?.[0]
}

/** Whether a script looked at both places where it could find a token, and found none. */
export function foundNothing(report: unknown): boolean {
  if (typeof report !== 'object' || report === null) return false
  const { localStorage, cookie } = report as { localStorage?: unknown; cookie?: unknown }
  return localStorage === null && typeof cookie === 'string' && tokenIn(report) === undefined
}

/** Whether a script reported Ada's profile. */
export function readsProfileOfAda(report: unknown): boolean {
  const profile = (report as { profile?: { user?: unknown } } | null | undefined)?.profile
  return profile?.user === 'ada'
}
