import { readFile } from 'node:fs/promises'
import { type Command, print } from '../cli/command.ts'
import { AuthError } from '../errors.ts'
import { simulate } from './simulate.ts'
import { clearAccount, countersOf } from './throttle.ts'
import { readTrace } from './trace.ts'

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

const simulateTrace: Command<{ trace: string }> = {
  name: 'simulate',
  description: 'print how many guesses of a trace would be checked, and how often the owners would wait',
  arguments: [['<trace>', 'a file: JSON lines, or CSV with the columns time, account, network, device, ok']],
  async run(_context, { trace }) {
    const text = await readFile(trace, 'utf8').catch((cause) => {
      throw new AuthError('validation_failed', `The trace cannot be read: ${cause.code}`, { cause })
    })
    const found = simulate(readTrace(text))
    print({
      attempts: found.attempts,
      guesses_checked: found.guessesChecked,
      guesses_refused: found.guessesRefused,
      owner_logins: found.ownerLogins,
      owner_waited: found.ownerWaited,
      longest_owner_wait: found.longestOwnerWait,
      refused_by: found.refusedBy,
    })
  },
}

/** `sealwax throttle`. */
export const throttleCommands = {
  name: 'throttle',
  description: 'limits for attempts to log in',
  commands: [show, clear, simulateTrace],
} as const
