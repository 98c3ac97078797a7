import type { StepWalk } from '../reader.ts'

export const refresh: StepWalk = {
  id: 'refresh',
  async walk({ task }) {
    const rotate = task('rotate')
    await rotate.choose('A new access token, and a new refresh token')
    await rotate.press('Log in as Ada')
    await rotate.press('Refresh')
    await rotate.sees('As you expected:')
    await rotate.isDone()

    const lost = task('lost-reply')
    await lost.choose('It refuses the token')
    await lost.press('Log in as Ada')
    await lost.press('Refresh, and lose the reply')
    await lost.press('Send the same refresh token again')
    await lost.sees('Not as you expected.')
    await lost.isDone()

    const thief = task('thief')
    await thief.choose('Neither of them')
    await thief.press('Log in as Ada')
    await thief.press('Refresh as Ada')
    await thief.sees('Refresh as Ada: 200')
    await thief.press('Refresh as the thief')
    await thief.sees('Refresh as the thief: 400 invalid_grant, replayed')
    await thief.press('Refresh as Ada')
    await thief.sees('Refresh as Ada: 400 invalid_grant, session_revoked')
    await thief.press('Read the audit log')
    await thief.sees(/session\.replay_detected/)
    await thief.isDone()
  },
}
