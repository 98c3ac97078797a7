import type { StepWalk } from '../reader.ts'

export const sealed: StepWalk = {
  id: 'sealed',
  async walk({ task }) {
    const read = task('read')
    await read.choose('Random bytes: the payload is encrypted.')
    await read.press('Decode the payload')
    await read.sees('Not as you expected.')
    if (!(await read.section.getByRole('radio').first().isDisabled())) throw new Error('the guess can still be changed')
    await read.press('Send the token to this server')
    await read.sees('401 Unauthorized')
    await read.isDone()

    const find = task('find')
    await find.choose('roles')
    await find.press('Check')
    await find.sees('1 of your answers is wrong. 3 are missing.')
    await find.choose('roles')
    for (const claim of ['password_hash', 'card', 'database']) await find.choose(claim)
    await find.press('Check')
    await find.sees('Right.')
    await find.isDone()
  },
}
