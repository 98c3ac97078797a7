/** The reply to a log-in or a sign-up. */
export interface Reply {
  readonly status: number
  readonly deviceToken: string | undefined
  /** Milliseconds. */
  readonly took: number
}

/** Sends one request through a proxy that tells the address of the client. */
export async function post(url: string, ip: string, body: object): Promise<Reply> {
  const started = performance.now()
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': ip },
    body: JSON.stringify(body),
  })
  const { device_token: deviceToken } = (await reply.json()) as { device_token?: string }
  return { status: reply.status, deviceToken, took: performance.now() - started }
}

/** Log-ins of strangers, so that the server under attack is not one that has just started. */
export async function warmUp(url: string): Promise<void> {
  for (let i = 0; i < 100; i += 1) {
    await post(`${url}/login`, `10.9.${i}.1`, { email: `stranger-${i}@example.com`, password: 'not the password' })
  }
}
