// The same file in Jest and in Vitest: both replace the clock.
import { createGuard, GuardError } from '@sealwax/guard'
import { generateKey, sign } from '@sealwax/jwt'

const fake = globalThis.vi ?? import.meta.jest

test('a guard with a fake clock: the token expires when the test says so', async () => {
  const rules = { issuer: 'https://auth.example.com', audience: 'api' }
  const key = await generateKey('ES256')
  fake.useFakeTimers({ now: new Date('2026-01-15T12:00:00Z') })
  try {
    const guard = createGuard({ ...rules, keys: key.publicKey, revocation: null })
    const token = sign({ sub: 'user-123', client_id: 'app' }, key, { ...rules, typ: 'at+jwt', expiresIn: '15m' })
    const request = { headers: { authorization: `Bearer ${token}` } }
    expect((await guard.authenticate(request)).subject).toBe('user-123')
    fake.setSystemTime(new Date('2026-01-15T13:00:00Z'))
    expect(() => guard.authenticate(request)).toThrow(GuardError)
    expect(() => guard.authenticate(request)).toThrow('The access token expired 45 minutes ago.')
  } finally {
    fake.useRealTimers()
  }
})
