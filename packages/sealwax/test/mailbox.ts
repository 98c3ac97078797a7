import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'

/** A mail that arrived, as a mail program reads it. */
export interface Received {
  readonly to: string
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Header fields by name in lower case, unparsed. */
  readonly headers: ReadonlyMap<string, string>
  /** The links in the HTML part. */
  readonly links: readonly string[]
  /** The whole mail as it was transmitted. */
  readonly raw: string
  /** When it was transmitted completely, by `performance.now()`. */
  readonly at: number
}

/** What the server does with a mail; a number is the code of a refusal, such as 450 or 550. */
export interface Behaviour {
  /** After `RCPT TO`. */
  recipient?: ((address: string) => number | undefined) | undefined
  /** After the content. */
  content?: (() => number | undefined) | undefined
  /** Cuts all connections instead of a reply to the content. */
  drop?: boolean
  /** Holds the reply to the content back until `release` is called. */
  stall?: boolean
}

export interface Mailbox extends AsyncDisposable {
  /** For the option `smtpUrl`. */
  readonly url: string
  readonly port: number
  /** All mails so far, in order of arrival. */
  readonly all: readonly Received[]
  /** May be changed at any time. */
  readonly behaviour: Behaviour
  /** How many mails have been transmitted, refused ones included. */
  readonly attempts: () => number
  /** The next mail to an address that `next` has not returned yet. Waits for it. */
  next(address: string, timeout?: number): Promise<Received>
  /** The mails to an address that arrive in the given time. */
  during(milliseconds: number): Promise<readonly Received[]>
  /** Lets stalled mails finish. */
  release(): void
}

/** A real SMTP server on a free port of 127.0.0.1. */
export async function openMailbox(options: SMTPServerOptions = {}): Promise<Mailbox> {
  const all: Received[] = []
  const taken = new Set<Received>()
  const behaviour: Behaviour = {}
  const listeners = new Set<() => void>()
  const held: (() => void)[] = []
  const sockets = new Set<Socket>()
  let attempts = 0
  const refusal = (code: number) => Object.assign(new Error('refused by the test'), { responseCode: code })
  const server = new SMTPServer({
    disabledCommands: options.onAuth === undefined ? ['STARTTLS', 'AUTH'] : ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    ...options,
    onRcptTo({ address }, _session, done) {
      const code = behaviour.recipient?.(address)
      done(code === undefined ? null : refusal(code))
    },
    onData(stream, session, done) {
      void read(stream, session).then(async (mail) => {
        attempts += 1
        if (behaviour.stall) await new Promise<void>((resolve) => held.push(resolve))
        if (behaviour.drop) {
          for (const socket of sockets) socket.destroy()
          return
        }
        const code = behaviour.content?.()
        if (code !== undefined) return done(refusal(code))
        all.push(mail)
        done(null)
        for (const heard of listeners) heard()
        // The connection may end before the whole content has arrived.
      }, done)
    },
  })
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const find = (address: string) => all.find((mail) => mail.to === address && !taken.has(mail))
  return {
    ...{ url: `smtp://127.0.0.1:${port}`, port, all, behaviour, attempts: () => attempts },
    async next(address, timeout = 10_000) {
      const found = find(address) ?? (await arrival(listeners, () => find(address), timeout))
      if (found === undefined) throw new Error(`no mail to ${address} within ${timeout} ms`)
      taken.add(found)
      return found
    },
    async during(milliseconds) {
      const before = all.length
      await arrival(listeners, () => undefined, milliseconds)
      return all.slice(before)
    },
    release() {
      for (const go of held.splice(0)) go()
    },
    async [Symbol.asyncDispose]() {
      for (const go of held.splice(0)) go()
      await new Promise<void>((closed) => server.close(closed))
    },
  }
}

function arrival(
  listeners: Set<() => void>,
  find: () => Received | undefined,
  timeout: number,
): Promise<Received | undefined> {
  return new Promise((resolve) => {
    const look = () => {
      const found = find()
      if (found !== undefined) finish(found)
    }
    const finish = (found?: Received) => {
      clearTimeout(timer)
      listeners.delete(look)
      resolve(found)
    }
    const timer = setTimeout(finish, timeout)
    listeners.add(look)
  })
}

async function read(stream: NodeJS.ReadableStream, session: SMTPServerSession): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  const at = performance.now()
  const raw = Buffer.concat(chunks).toString()
  const parsed: ParsedMail = await simpleParser(raw, { skipTextLinks: true, skipHtmlToText: true })
  const html = parsed.html || ''
  return {
    to: session.envelope.rcptTo.map(({ address }) => address).join(','),
    from: parsed.from?.text ?? '',
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html,
    headers: new Map(parsed.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(':') + 1).trim()])),
    links: [...html.matchAll(/href="([^"]*)"/g)].map(([, link = '']) => link.replaceAll('&amp;', '&')),
    ...{ raw, at },
  }
}
