import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { main } from '../../src/cli/main.ts'
import { audit } from '../../src/core/audit.ts'
import type { Context } from '../../src/core/context.ts'
import { defineEvents } from '../../src/core/events.ts'
import { commit } from '../../src/core/unit-of-work.ts'
import { open } from '../../src/create-auth.ts'
import type { Feature } from '../../src/feature.ts'
import { features } from '../../src/features.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { SECRET, tempDir } from '../server.ts'

declare module '../../src/core/unit-of-work.ts' {
  interface Facts {
    readonly notes: { add(text: string): Promise<unknown>; all(): Promise<{ text: string }[]> }
  }
}
declare module '../../src/core/tables.ts' {
  interface Tables {
    notes: { text: string }
  }
}
declare module '../../src/core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof noteEvents> {}
}

const noteEvents = defineEvents({ 'note.added': {} })

const add = (context: Context, text: string) =>
  commit(context, async (unit) => {
    await unit.notes.add(text)
    await audit(unit, { type: 'note.added', time: context.now(), data: { text } })
  })

const notes = {
  name: 'notes',
  events: noteEvents,
  queries: {
    notes: (db) => ({
      add: (text) => db.insertInto('notes').values({ text }).execute(),
      all: () => db.selectFrom('notes').selectAll().execute(),
    }),
  },
  tables: { notes: 'text' },
  routes: [({ app, context }) => app.get('/notes', async (c) => c.json(await context.store.committed.notes.all()))],
  api: (context: Context) => ({ notes: { add: (text: string) => add(context, text) } }),
  commands: {
    name: 'notes',
    description: 'manage notes',
    commands: [
      {
        name: 'add',
        description: 'add a note',
        arguments: [['<text>']],
        run: (context: Context, { text }: { text: string }) => add(context, text),
      },
    ],
  },
} as const satisfies Feature

test('a feature adds a table, an event, a route, calls and a command without changes elsewhere', async (t) => {
  using directory = tempDir()
  const file = join(directory.path, 'notes.db')
  const database = new DatabaseSync(file)
  database.exec('create table notes (text text not null)')
  database.close()
  const issuer = 'http://127.0.0.1:5000'
  const all = [...features, notes] as const
  const heard: string[] = []
  const onEvent = ({ type }: { type: string }) => heard.push(type)
  const auth = await open({ issuer, audience: 'api', secret: SECRET, store: sqliteStore(file), onEvent }, all)
  t.after(() => auth.close())

  await auth.notes.add('by a call')
  assert.deepEqual(heard.slice(-1), ['note.added'])
  assert.equal((await auth.audit.list({ type: 'note.added' })).data[0]?.data?.text, 'by a call')

  const settings = { SEALWAX_ISSUER: issuer, SEALWAX_AUDIENCE: 'api', SEALWAX_SECRET: SECRET }
  Object.assign(process.env, settings, { SEALWAX_DATABASE_URL: `sqlite:${file}` })
  await main(['node', 'sealwax', 'notes', 'add', 'by a command'], all)

  const reply = await auth.fetch(new Request(`${issuer}/notes`))
  assert.deepEqual(await reply.json(), [{ text: 'by a call' }, { text: 'by a command' }])
})
