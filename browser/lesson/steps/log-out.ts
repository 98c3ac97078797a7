import type { StepWalk } from '../reader.ts'

export const logOut: StepWalk = {
  id: 'log-out',
  async walk({ task }) {
    const revoked = task('revoked')
    await revoked.choose('200: a token counts until it expires')
    await revoked.press('Log in as Ada')
    await revoked.press('Ask for the profile')
    await revoked.sees('Ask for the profile: 200')
    await revoked.press('Log out')
    await revoked.sees('Log out: 204')
    await revoked.press('Ask for the profile')
    await revoked.sees('Ask for the profile: 401 token_revoked')
    await revoked.press('Check the token in this page')
    await revoked.sees(/Signature: right/)
    await revoked.sees('Not as you expected.')
    await revoked.isDone()

    const delay = task('delay')
    await delay.choose('Within a second after the log-out')
    await delay.press('Log in as Ada')
    await delay.sees('Ask: The second service: 200')
    await delay.press('Log out, and measure')
    await delay.sees(/^after \d+ ms$/)
    await delay.isDone()

    const feed = task('feed')
    await feed.press('Log in and out as Ada')
    await feed.sees('Log out: 204')
    await feed.press('Read the feed')
    await feed.sees('The feed has an entry with this session id.')
    await feed.isDone()
  },
}
