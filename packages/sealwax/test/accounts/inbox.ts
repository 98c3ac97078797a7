import { setTimeout as delay } from 'node:timers/promises'
import { startAuth } from '../server.ts'

/** A mail as `createAuth({ mail })` gets it. */
interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** A mail, and what its reader finds in it. */
interface Received extends Mail {
  /** The link, empty if there is none. */
  readonly link: string
  readonly token: string
  readonly code: string
}

/** Collects mails in memory. */
export function createInbox() {
  const mails: Mail[] = []
  return {
    mails,
    mail: async (message: Mail) => void mails.push(message),
    /** Takes the first mail to an address, waiting for it if there is none yet. */
    async next(to: string): Promise<Received> {
      for (let waited = 0; waited < 10_000; waited += 10) {
        const at = mails.findIndex((mail) => mail.to === to)
        if (at >= 0) return read(mails.splice(at, 1)[0] as Mail)
        await delay(10)
      }
      throw new Error(`No mail to ${to}; there is mail to ${mails.map((mail) => mail.to).join(', ')}`)
    },
    /** Waits as long as a mail would take, and returns those that are left. */
    async left(): Promise<readonly Mail[]> {
      await delay(300)
      return mails
    },
  }
}

function read(mail: Mail): Received {
  const link = /https?:\/\/\S+/.exec(mail.text)?.[0] ?? ''
  const token = /token=(swo_[\w-]{43})/.exec(link)?.[1] ?? ''
  const code = /^ *(\d{6})$/m.exec(mail.text)?.[1] ?? ''
  return { ...mail, link, token, code }
}

/** An auth server whose mails arrive in an inbox. */
export async function startWithInbox(options: Parameters<typeof startAuth>[0] = {}) {
  const inbox = createInbox()
  const server = await startAuth({ mail: inbox.mail, ...options })
  return Object.assign(server, { inbox })
}
