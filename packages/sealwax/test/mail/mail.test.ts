import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openMailbox } from '../mailbox.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../server.ts'
import { STORES } from '../stores.ts'
import { LINK, startNotes, until } from './sending.ts'

const ANN = 'ann@example.com'

for (const [name, openStore] of Object.entries(STORES)) {
  describe(`mail: ${name}`, () => {
    it('a mail of the outbox arrives over SMTP soon after the commit, as text and as HTML', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
      const began = performance.now()
      assert.equal(await server.send({ data: { name: 'Ann <b>', link: LINK, code: '123456' } }), true)
      const mail = await mailbox.next(ANN)
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
      assert.equal(mail.headers.get('auto-submitted'), 'auto-generated')
      await until(() => server.lines.some(({ message }) => message === 'mail sent'))
      assert.equal(await server.waiting(), 0)
      assert.equal(mailbox.all.length, 1)
      assert.doesNotMatch(JSON.stringify([server.lines, server.events]), /ann@example|kZ4w|123456/)
    })

    it('a unit that is rolled back sends nothing', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
      await assert.rejects(server.send({ recipient: 'rolled@example.com' }, { fail: true }), /rolled back/)
      await server.send({ recipient: ANN })
      await mailbox.next(ANN)
      assert.equal(mailbox.all.length, 1)
    })

    it('after a temporary refusal, the same mail is tried again, later and later', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
      mailbox.behaviour.content = () => 451
      await server.send({})
      const pauses: number[] = []
      for (let attempts = 1; attempts <= 4; attempts += 1) {
        await until(() => server.told('mail not sent yet') === attempts)
        const due = (await server.due()) as number
        pauses.push(due - server.clock.time)
        server.clock.time = due
      }
      for (const [i, pause] of pauses.entries()) {
        const longest = 10 * SECOND * 2 ** i
        assert.ok(pause >= longest * 0.75 && pause <= longest, `${pauses}`)
      }
      mailbox.behaviour.content = undefined
      const mail = await mailbox.next(ANN)
      assert.equal(mailbox.attempts(), 5)
      assert.match(mail.headers.get('message-id') ?? '', /^<[\w-]{22}@auth\.example\.com>$/)
      await until(async () => (await server.waiting()) === 0)
      assert.deepEqual(server.events, [])
      assert.doesNotMatch(JSON.stringify(server.lines), /ann@example/)
    })

    it('a connection that breaks before the reply is tried again', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
      mailbox.behaviour.drop = true
      await server.send({})
      await until(() => server.told('mail not sent yet') === 1)
      mailbox.behaviour.drop = false
      server.clock.advance(10 * SECOND)
      await mailbox.next(ANN)
    })

    it('a mail is given up after a day, with an event that names kind and user', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
      mailbox.behaviour.recipient = () => 450
      await server.send({ subject: 'usr_1' })
      await until(() => server.told('mail not sent yet') === 1)
      server.clock.advance(DAY - MINUTE)
      await until(() => server.told('mail not sent yet') === 2)
      server.clock.advance(2 * MINUTE)
      await until(() => server.events.length > 0)
      const { type, subject, data } = server.events[0] ?? {}
      assert.deepEqual([type, subject, data?.kind, data?.reason], ['mail.failed', 'usr_1', 'note.added', 'expired'])
      assert.equal(await server.waiting(), 0)
      assert.doesNotMatch(JSON.stringify(await opened.store.committed.audit.list({ limit: 9 })), /ann@example/)
    })

    it('a recipient that the server refuses for good is given up at once', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
      mailbox.behaviour.recipient = () => 550
      await server.send({ subject: 'usr_1' })
      await until(() => server.events.length > 0)
      assert.deepEqual(server.events[0]?.data, {
        ...{ kind: 'note.added', attempts: 1, reason: 'refused', error: 'EENVELOPE', smtp: 550 },
      })
      await until(async () => (await server.waiting()) === 0)
      assert.equal(mailbox.all.length, 0)
    })

    it('a mail for which there is nothing to send any more is dropped', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
      await server.send({ data: { gone: 'yes' } })
      await until(async () => (await server.waiting()) === 0)
      assert.equal(mailbox.attempts(), 0)
      assert.deepEqual(server.events, [])
    })

    it('two servers on one store send each mail once', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using first = await startNotes(opened.store, { smtpUrl: mailbox.url })
      await using second = await startNotes(await opened.another(), { smtpUrl: mailbox.url })
      const recipients = Array.from({ length: 40 }, (_, i) => `user${i}@example.com`)
      await Promise.all(recipients.map((recipient, i) => (i % 2 ? first : second).send({ recipient })))
      await until(() => mailbox.all.length >= recipients.length)
      await mailbox.during(1500)
      assert.deepEqual(mailbox.all.map(({ to }) => to).toSorted(), recipients.toSorted())
      assert.equal(await first.waiting(), 0)
    })

    it('a mail that another server has taken is left to it until its lease ends', async () => {
      await using opened = await openStore()
      await using mailbox = await openMailbox()
      await using server = await startNotes(opened.store)
      const { store, clock } = server
      await server.send({}, { quietly: true })
      const now = clock.time
      const taken = await store.transaction(({ outbox }) =>
        outbox.claim({ now, until: now + MINUTE, by: 'a server that crashed', limit: 5 }),
      )
      assert.equal(taken.length, 1)
      await using other = await startNotes(await opened.another(), { smtpUrl: mailbox.url })
      assert.deepEqual(await mailbox.during(1500), [])
      other.clock.advance(MINUTE)
      await mailbox.next(ANN)
      const id = taken[0]?.id as string
      assert.equal(await store.transaction(({ outbox }) => outbox.delete(id, 'a server that crashed')), false)
    })

    it('limits: three mails per address and network in 15 minutes and six in a day, whatever the spelling', async () => {
      await using opened = await openStore()
      await using server = await startNotes(opened.store, { mail: async () => {} })
      const ask = (recipient: string) => server.send({ kind: 'note.asked', recipient, origin: { ip: '192.0.2.1' } })
      for (const address of [ANN, 'ANN@example.com', ANN]) assert.equal(await ask(address), true)
      for (const address of [ANN, 'Ann@Example.com', ANN]) assert.equal(await ask(address), false)
      assert.equal(await ask('bob@example.com'), true)
      assert.deepEqual(
        server.events.map(({ type, ip, data }) => [type, ip, data]),
        [['mail.limited', '192.0.2.1', { kind: 'note.asked', by: 'caller' }]],
      )
      const accepted = async () => {
        server.clock.advance(15 * MINUTE)
        return [await ask(ANN), await ask(ANN), await ask(ANN), await ask(ANN)].filter(Boolean).length
      }
      assert.deepEqual([await accepted(), await accepted()], [3, 0])
      server.clock.advance(DAY)
      assert.equal(await ask(ANN), true)
    })

    it('limits: a network cannot use up the mails of an address; all networks together can have 20 in a day', async () => {
      await using opened = await openStore()
      await using server = await startNotes(opened.store, { mail: async () => {} })
      const ask = (network: number) =>
        server.send({ kind: 'note.asked', recipient: ANN, origin: { ip: `10.0.${network}.1` } })
      for (let i = 0; i < 30; i += 1) await ask(1)
      assert.equal(await ask(2), true)
      const accepted: number[] = []
      for (let quarter = 0; quarter < 5; quarter += 1) {
        server.clock.advance(15 * MINUTE)
        let count = 0
        for (let network = 3; network < 30; network += 1) if (await ask(network)) count += 1
        accepted.push(count)
      }
      assert.deepEqual(accepted, [6, 6, 4, 0, 0])
    })

    it('limits: two hundred mails per network in an hour; kinds without limits are not counted', async () => {
      await using opened = await openStore()
      await using server = await startNotes(opened.store, { mail: async () => {} })
      const ask = (i: number) =>
        server.send({ kind: 'note.asked', recipient: `u${i}@x.org`, origin: { ip: `192.0.2.${i}` } })
      const accepted: boolean[] = []
      for (let i = 1; i <= 203; i += 1) accepted.push(await ask(i))
      assert.deepEqual(accepted, [...Array(200).fill(true), false, false, false])
      assert.deepEqual(
        server.events.map(({ data }) => data),
        [{ kind: 'note.asked', by: 'network' }],
      )
      const elsewhere = { kind: 'note.asked', recipient: 'z@x.org', origin: { ip: '198.51.100.1' } }
      assert.equal(await server.send(elsewhere), true)
      assert.equal(await server.send({ recipient: 'u1@x.org', origin: { ip: '192.0.2.1' } }), true)
    })

    it('limits: of a hundred requests at the same time, three are accepted', async () => {
      await using opened = await openStore()
      await using server = await startNotes(opened.store, { mail: async () => {} })
      const asked = Array.from({ length: 100 }, () => server.send({ kind: 'note.asked' }))
      assert.equal((await Promise.all(asked)).filter(Boolean).length, 3)
      assert.equal(server.events.length, 1)
    })

    it('limits: counts of windows that are over are deleted', async () => {
      await using opened = await openStore()
      const { store } = opened
      await using server = await startNotes(store, { mail: async () => {} })
      await server.send({ kind: 'note.asked', origin: { ip: '192.0.2.1' } })
      const purge = (now: number) => store.transaction(({ mailCounts }) => mailCounts.purge(now, 100))
      assert.equal(await purge(server.clock.time), 0)
      assert.deepEqual([await purge(server.clock.time + HOUR + 1), await purge(server.clock.time + 2 * DAY)], [3, 2])
    })
  })
}
