import type { StepWalk } from '../reader.ts'

export const expiry: StepWalk = {
  id: 'expiry',
  isSlow: true,
  async walk({ task }) {
    const watch = task('watch')
    await watch.choose('Nobody does anything. The guard compares exp with its clock.')
    await watch.press('Get a ten-second token')
    await watch.press('Send the token')
    await watch.sees('It is accepted. Send it again when the countdown is over.')
    // Meanwhile, the other tasks.
    const times = task('times')
    await times.choose('12:15:00')
    await times.press('Check')
    await times.sees('1 of your answers is wrong. 2 are missing.')
    await times.choose('12:15:00')
    await times.choose('12:00:05')
    await times.choose('12:14:59')
    await times.press('Check')
    await times.isDone()
    const tolerance = task('tolerance')
    await tolerance.choose('Only the route with the tolerance accepts it.')
    await tolerance.press('Get a ten-second token')
    await tolerance.press('Send the token to both routes')
    await tolerance.sees('Both accept it, since it has not expired.')

    await watch.section.locator('.countdown[data-expired="true"]').waitFor()
    await watch.press('Send the token')
    await watch.sees('As you expected:')
    await watch.isDone()
    await tolerance.section.locator('.countdown[data-expired="true"]').waitFor()
    await tolerance.press('Send the token to both routes')
    await tolerance.sees('The same token at the same time: one route refuses it, the other accepts it.')
    await tolerance.isDone()
  },
}
