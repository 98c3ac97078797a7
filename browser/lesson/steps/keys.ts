import type { StepWalk } from '../reader.ts'

export const keys: StepWalk = {
  id: 'keys',
  async walk({ task }) {
    const hs256 = task('hs256')
    await hs256.press('Sign, and let the service verify')
    await hs256.sees(/These are the claims that the issuer signs, too\./)
    await hs256.write('Claims of your token', '{ "sub": "ada", "roles": ["teacher"] }')
    await hs256.press('Sign, and let the service verify')
    await hs256.sees('["teacher"]')
    await hs256.isDone()
    await hs256.write('Secret to sign with', 'another secret')
    await hs256.press('Sign, and let the service verify')
    await hs256.sees('The service refuses the token')

    const es256 = task('es256')
    await es256.logInOnce()
    await es256.press('Fetch the public keys, and verify the token')
    await es256.sees(/The signature of Ada’s token is right/)
    await es256.press('Sign with the public key')
    await es256.sees(/WebCrypto refuses/)
    await es256.isDone()

    const second = task('second-service')
    await second.choose('Its secret')
    await second.press('Ask the second service')
    await second.sees('Ask the second service: 200')
    await second.press('Fetch the metadata')
    await second.sees('Fetch the metadata: 200')
    await second.press('Fetch the keys')
    await second.sees('Not as you expected.')
    await second.isDone()
  },
}
