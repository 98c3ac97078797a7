import { setTimeout as delay } from 'node:timers/promises'

/** A response. Where none arrived completely, `lost` takes its place. */
export interface Answer {
  readonly status: number
  readonly body: {
    readonly refresh_token: string
    readonly access_token: string
    readonly session: { readonly id: string }
    readonly code: string
    readonly reason: string
  }
  readonly retryAfter: string | null
  /** Milliseconds from the request to the end of the response. */
  readonly took: number
}

const PATIENCE_MS = 30_000

export interface Asking {
  readonly json?: unknown
  readonly token?: string
  readonly userAgent?: string
}

/** Sends one request: a POST if there is `json`. Returns `lost` if no complete response arrived. */
export async function ask(url: string, { json, token, userAgent = BROWSER }: Asking = {}): Promise<Answer | 'lost'> {
  const started = performance.now()
  try {
    const response = await fetch(url, {
      ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
      headers: {
        ...{ 'User-Agent': userAgent, 'Content-Type': 'application/json' },
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const text = await response.text()
    const body = text === '' ? {} : JSON.parse(text)
    return {
      status: response.status,
      body,
      retryAfter: response.headers.get('Retry-After'),
      took: performance.now() - started,
    }
  } catch {
    return 'lost'
  }
}

export const BROWSER = 'Mozilla/5.0 (torture)'

/**
 * Does what a well-written client does: tries one server after the other until one gives a final
 * response. 503 and lost responses are not final.
 */
export async function persist(
  urls: readonly string[],
  path: string,
  asking: Asking,
  { patience = PATIENCE_MS, seen = () => {} }: { patience?: number; seen?: (answer: Answer | 'lost') => void } = {},
): Promise<Answer | 'lost'> {
  const deadline = performance.now() + patience
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask(`${urls[attempt % urls.length]}${path}`, asking)
    seen(answer)
    if (answer !== 'lost' && answer.status !== 503) return answer
    if (performance.now() > deadline) return answer
    await delay(Math.min(20 * 2 ** attempt, 250))
  }
}

/** Describes a response without its tokens. */
export function told(answer: Answer | 'lost'): string {
  if (answer === 'lost') return 'no reply'
  return [answer.status, answer.body.code, answer.body.reason].filter((part) => part !== undefined).join(' ')
}
