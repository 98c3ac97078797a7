import { type Command, print } from '../cli/command.ts'
import { clearAccount, countersOf } from './throttle.ts'

const show: Command<{ account: string }> = {
  name: 'show',
  description: 'show the counters of an account, one JSON line each',
  arguments: [['<account>', 'the e-mail address']],
  async run(context, { account }) {
    for (const counter of await countersOf(context, account)) print(counter)
  },
}

const clear: Command<{ account: string }> = {
  name: 'clear',
  description: 'delete the counters of an account, so that it can be logged in to at once',
  arguments: [['<account>', 'the e-mail address']],
  async run(context, { account }) {
    console.log(`Counters deleted: ${await clearAccount(context, account)}`)
  },
}

/** `sealwax throttle`. */
export const throttleCommands = {
  name: 'throttle',
  description: 'limits for attempts to log in',
  commands: [show, clear],
} as const
