import type { Transporter } from 'nodemailer'
import { AuthError } from '../errors.ts'
import type { SendMail } from './options.ts'
import type { SmtpServer } from './smtp-url.ts'

const CONNECT_MS = 10_000
const IDLE_MS = 20_000

/** Returns a function that sends a mail to an SMTP server, each over a connection of its own. */
export function sendOver(server: SmtpServer): SendMail {
  let transporter: Promise<Transporter> | undefined
  return async (message) => {
    transporter ??= connectLater(server)
    const { to, headers: given, ...content } = message
    const { 'Message-ID': messageId, ...headers } = given
    await (await transporter).sendMail({
      ...content,
      headers,
      ...(messageId !== undefined && { messageId }),
      // As an object, an address is never parsed as a list.
      to: { name: '', address: to },
    })
  }
}

async function connectLater({ host, port, secure, plain, auth }: SmtpServer): Promise<Transporter> {
  const { createTransport } = await loadNodemailer()
  return createTransport({
    host,
    port,
    secure,
    requireTLS: !secure && !plain,
    ignoreTLS: plain,
    ...(auth !== undefined && { auth }),
    tls: { minVersion: 'TLSv1.2' },
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: IDLE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/**
 * Loads nodemailer, which only servers that send over SMTP need.
 *
 * @throws {AuthError} `config_invalid` when it is not installed
 */
export async function loadNodemailer(): Promise<typeof import('nodemailer')> {
  try {
    return await import('nodemailer')
  } catch (cause) {
    const detail = 'createAuth: smtpUrl needs the package nodemailer. Type: npm install nodemailer'
    throw new AuthError('config_invalid', detail, { cause })
  }
}
