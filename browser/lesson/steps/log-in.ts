import type { StepWalk } from '../reader.ts'

export const logIn: StepWalk = {
  id: 'log-in',
  async walk({ task }) {
    const without = task('without')
    await without.press('Ask for the profile')
    await without.sees('401 Unauthorized')
    await without.isDone()

    const withToken = task('with')
    await withToken.press('Log in as Ada')
    await withToken.press('Ask for the profile with the token')
    await withToken.sees('"message": "Hello, ada"')
    await withToken.isDone()
  },
}
