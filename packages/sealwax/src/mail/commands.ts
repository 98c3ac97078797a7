import { type Command, print } from '../cli/command.ts'
import { sendTestMail } from './test-message.ts'

const test: Command<{ address: string }> = {
  name: 'test',
  description: 'send a test mail at once and print why it was not accepted, if it was not',
  arguments: [['<address>']],
  async run(context, { address }) {
    const { messageId } = await sendTestMail(context, address)
    print({ message_id: messageId })
  },
}

/** `sealwax mail`. */
export const mailCommands = {
  name: 'mail',
  description: 'check the mail settings',
  commands: [test],
} as const
