import type { StepWalk } from '../reader.ts'

export const parts: StepWalk = {
  id: 'parts',
  async walk({ task }) {
    const apart = task('apart')
    await apart.logInOnce()
    await apart.press('Look up the first four characters')
    await apart.press('Cut the bits into bytes')
    await apart.press('Decode the whole part')
    await apart.sees('"alg": "ES256"')
    await apart.press('Payload')
    await apart.sees('"sub": "ada"')
    await apart.press('Signature')
    await apart.sees('64 bytes:')
    await apart.isDone()

    const together = task('together')
    await together.write('Payload', '{ "sub": ')
    await together.sees('The payload is not a JSON object.')
    await together.write('Payload', '{ "sub": "me", "likes": "tea" }')
    await together.press('Make a random secret')
    await together.press('Sign')
    await together.sees('Three parts.')
    await together.isDone()
  },
}
