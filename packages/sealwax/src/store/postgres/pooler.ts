import type { Pool } from './pool.ts'

/**
 * Whether there is a pooler (pgbouncer, Supavisor, Odyssey, RDS Proxy) before the database. A
 * pooler gives each client its own cancel key, so the process in that key is not the one that runs
 * the statement. Session state (prepared statements, LISTEN) may then be lost after any statement,
 * or belong to another client; that depends on the mode of the pooler, which cannot be queried.
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

/** The rows, and the process that the server named when the connection was opened. */
interface Answer extends ReadonlyArray<{ pid: number }> {
  readonly state: { readonly pid: number | null }
}
