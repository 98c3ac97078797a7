import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuthOptions } from '../../src/core/options.ts'
import type { Store } from '../../src/core/unit-of-work.ts'
import { open } from '../../src/create-auth.ts'
import { openMailbox } from '../mailbox.ts'
import { collector, createClock, SECRET } from '../server.ts'
import { STORES } from '../stores.ts'
import { withNotes } from './sending.ts'

const LINK = 'https://app.example.com/notes?token=kZ4w&x=1'

async function start(store: Store, options: Partial<AuthOptions> = {}) {
  const clock = createClock()
  const collected = collector()
  const { logger, onEvent } = collected
  const auth = await open(
    {
      ...{ issuer: 'https://auth.example.com', audience: 'api', secret: SECRET, store, logger, onEvent },
      ...{ now: () => clock.time, ...options },
    },
    withNotes,
  )
  return { auth, clock, ...collected }
}

for (const [name, openStore] of Object.entries(STORES)) {
  describe(`mail: ${name}`, () => {
    it('a mail of the outbox arrives over SMTP, as text and as HTML', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      const { auth, lines } = await start(opened.store, { smtpUrl: mailbox.url })
      const began = performance.now()
      assert.equal(await auth.notes.send({ data: { name: 'Ann <b>', link: LINK, code: '123456' } }), true)
      const mail = await mailbox.next('ann@example.com')
      assert.ok(performance.now() - began < 900, 'the commit wakes the sender')
      assert.equal(mail.subject, 'A note for Ann <b>')
      assert.equal(mail.from, 'no-reply@auth.example.com')
      assert.equal(
        mail.text.trimEnd(),
        `Hello Ann <b>,\n\nsomebody wrote a note at auth.example.com.\n\n${LINK}\n\n    123456\n\n-- \nauth.example.com`,
      )
      assert.match(mail.html, /<p>Hello Ann &lt;b&gt;,<\/p>/)
      assert.deepEqual([...new Set(mail.links)], [LINK])
      assert.doesNotMatch(mail.html, /<img|<script|src=/)
      await auth.close()
      assert.equal(mailbox.all.length, 1)
      assert.ok(lines.some(({ message }) => message === 'mail sent'))
      assert.doesNotMatch(JSON.stringify(lines), /ann@example|kZ4w|123456/)
    })
  })
}
