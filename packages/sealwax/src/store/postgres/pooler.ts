import type { Pool } from './pool.ts'

/**
 * Whether a pooler (pgbouncer, Supavisor, Odyssey, RDS Proxy) stands in between. It gives each client a key for cancelling that it made up, so the
 * process that this key names is not the one that answers. What a session holds (prepared statements, LISTEN) may then be gone with the next
 * statement, or belong to somebody else: whether it is depends on the pooler's mode, which nothing tells.
 */
export async function isPooled(pool: Pool): Promise<boolean> {
  const connection = await pool.reserve()
  try {
    const answer = (await connection.unsafe('select pg_catalog.pg_backend_pid() as pid', [])) as unknown as Answer
    return answer.state.pid !== answer[0]?.pid
  } finally {
    connection.release()
  }
}

/** The library tells beside the rows which process the server named when the connection was made. */
interface Answer extends ReadonlyArray<{ pid: number }> {
  readonly state: { readonly pid: number | null }
}
