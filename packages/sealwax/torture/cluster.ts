import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { type PostgresServer, startPostgres } from '../test/postgres.ts'

/** A primary with a standby, and an address that always leads to the current primary. */
export interface Cluster extends AsyncDisposable {
  database(): Promise<string>
  setSynchronous(on: boolean): Promise<void>
  /** Resolves when the standby has replayed everything that was written. */
  caughtUp(): Promise<void>
  /** Ends replication to the standby. */
  holdStandby(): Promise<void>
  killPrimary(): Promise<void>
  promote(): void
  /** Removes the old primary and adds a standby to the current one. */
  addStandby(): Promise<void>
}

export async function createCluster(): Promise<Cluster> {
  const settings = { fsync: 'on' }
  let primary = await startPostgres(settings)
  let target = primary.port
  const url = new URL(await primary.createDatabase())
  let standby = await startPostgres(settings, { standbyOf: primary })
  const address = await movingAddress(() => target)
  const run = async (server: PostgresServer, ...statements: string[]) => {
    const sql = postgres(`postgres://sealwax@127.0.0.1:${server.port}/postgres`, { max: 1, onnotice: () => {} })
    try {
      for (const statement of statements) await sql.unsafe(statement)
    } finally {
      await sql.end()
    }
  }
  const isCaughtUp = `do $$ begin
    while not exists (select from pg_stat_replication where state = 'streaming' and replay_lsn >= pg_current_wal_lsn()) loop
      perform pg_sleep(0.02); perform pg_stat_clear_snapshot();
    end loop; end $$`
  return {
    database: async () => `postgres://sealwax@127.0.0.1:${address.port}${url.pathname}`,
    async setSynchronous(on) {
      await run(primary, `alter system set synchronous_standby_names = '${on ? '*' : ''}'`, 'select pg_reload_conf()')
    },
    caughtUp: () => run(primary, isCaughtUp),
    async holdStandby() {
      await run(standby, `alter system set primary_conninfo = ''`, 'select pg_reload_conf()')
      await delay(300)
    },
    async killPrimary() {
      await primary.stop('crash')
    },
    promote() {
      standby.promote()
      target = standby.port
    },
    async addStandby() {
      await primary.remove()
      primary = standby
      // A new primary has no standby to wait for yet.
      await run(primary, `alter system reset synchronous_standby_names`, 'select pg_reload_conf()')
      standby = await startPostgres(settings, { standbyOf: primary })
    },
    async [Symbol.asyncDispose]() {
      address.close()
      await primary.remove()
      await standby.remove()
    },
  }
}

/** A proxy in place of a host name or virtual IP address that moves with the primary. */
async function movingAddress(target: () => number): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const upstream = connect(target(), '127.0.0.1')
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
  })
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening))
  return {
    port: (proxy.address() as { port: number }).port,
    close() {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
