import type { StepWalk } from '../reader.ts'

const SIGNATURE = '401: the signature does not match'
const ALGORITHM = '401: the algorithm is not the one of the key'

export const tamper: StepWalk = {
  id: 'tamper',
  async walk({ task }) {
    const claims = task('claims')
    await claims.logInOnce()
    await claims.press('Add the role teacher')
    await claims.choose('200: the server accepts it')
    await claims.press('Send the changed token')
    await claims.sees('Not as you expected.')
    await claims.isDone()

    const none = task('none')
    await none.choose(ALGORITHM)
    await none.press('Send it with alg none')
    await none.sees('As you expected:')
    await none.isDone()

    const otherSecret = task('other-secret')
    await otherSecret.write('Your secret', 'a secret of the reader')
    await otherSecret.choose(ALGORITHM)
    await otherSecret.press('Sign with my secret and send')
    await otherSecret.sees('As you expected:')
    await otherSecret.isDone()

    const otherKey = task('other-key')
    await otherKey.choose(SIGNATURE)
    await otherKey.press('Sign with a new key and send')
    await otherKey.sees('As you expected:')
    await otherKey.isDone()
  },
}
