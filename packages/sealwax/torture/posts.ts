import type { Random } from './random.ts'

/** A response to a request about an account. */
export interface Reply {
  readonly status: number
  readonly body: {
    readonly code?: string
    readonly access_token?: string
    readonly refresh_token?: string
    readonly device_token?: string
  }
}

/** Posts JSON. Returns `lost` if no complete response arrived. */
export async function post(
  url: string,
  path: string,
  json: object,
  { ip, token }: { ip: string; token?: string | undefined },
): Promise<Reply | 'lost'> {
  try {
    const response = await fetch(url + path, {
      method: 'POST',
      body: JSON.stringify(json),
      headers: {
        ...{ 'Content-Type': 'application/json', 'User-Agent': 'Mozilla/5.0 (torture)', 'X-Forwarded-For': ip },
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  } catch {
    return 'lost'
  }
}

/** Addresses of so many networks that no limit of one network is reached. */
export function someAddress(random: Random): string {
  return `10.${random.below(256)}.${random.below(256)}.${1 + random.below(254)}`
}

/** Describes a response without its tokens. */
export function toldOf(reply: Reply | 'lost'): string {
  return reply === 'lost' ? 'no reply' : `${reply.status} ${reply.body.code ?? ''}`.trim()
}
