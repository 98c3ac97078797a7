// A server in a process of its own: `crashing.ts FILE 'before sending'` commits two mails, and is
// killed when it has begun to send the second one; `crashing.ts FILE idle` ends by itself.
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { startNotes } from './sending.ts'

const [file = '', how] = process.argv.slice(2)

if (how === 'idle') {
  await startNotes(sqliteStore(file), { smtpUrl: 'smtp://127.0.0.1:1' })
} else {
  const quiet = await startNotes(sqliteStore(file))
  await quiet.send({ recipient: 'ann@example.com' }, { quietly: true })
  await quiet.auth.close()
  const server = await startNotes(sqliteStore(file), {
    mail: async () => {
      // The other mail is committed, but this server has not taken it.
      await server.context.store.transaction(({ outbox }) =>
        outbox.insert({
          ...{ id: 'first', kind: 'note.added', recipient: 'first@example.com', subject: null, data: {} },
          ...{ attempts: 0, due_at: server.clock.time, claimed_by: null, created_at: server.clock.time },
        }),
      )
      process.kill(process.pid, 'SIGKILL')
      await new Promise(() => {})
    },
  })
}
