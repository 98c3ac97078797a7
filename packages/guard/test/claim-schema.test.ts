import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { z } from 'zod'
import { type Auth, createGuard, GuardError, type GuardOptions } from '../src/index.ts'
import { bearing, guardWith, ISSUED, issuer, key, tokenFor } from './tokens.ts'

const zodSchema = z.object({ tenant: z.string().min(2), plan: z.enum(['free', 'paid']).default('free') })
const valibotSchema = v.object({
  tenant: v.pipe(v.string(), v.minLength(2)),
  plan: v.optional(v.picklist(['free', 'paid']), 'free'),
})

const authFor = async (options: Partial<GuardOptions>, claims: object) =>
  await guardWith(options).authenticate(bearing(tokenFor({ ...claims })))

async function refusal(options: Partial<GuardOptions>, claims: object): Promise<GuardError> {
  try {
    await authFor(options, claims)
  } catch (error) {
    if (error instanceof GuardError) return error
    throw error
  }
  return assert.fail('the token was accepted')
}

for (const [name, schema] of Object.entries({ zod: zodSchema, valibot: valibotSchema })) {
  test(`claims.schema: ${name} validates and completes the payload; claims that it drops are kept`, async () => {
    const { payload, subject } = await authFor({ claims: { schema } }, { tenant: 'acme', other: 1 })
    assert.equal(subject, 'user-123')
    const { tenant, plan, other, iss, exp } = payload
    assert.deepEqual({ tenant, plan, other }, { tenant: 'acme', plan: 'free', other: 1 })
    assert.deepEqual({ iss, exp }, { iss: issuer, exp: ISSUED + 900 })
    assert.ok(Object.isFrozen(payload))
  })

  test(`claims.schema: ${name} refuses a token that does not match, and the refusal names the claim only`, async () => {
    for (const claims of [{}, { tenant: 7 }, { tenant: 'x' }]) {
      const error = await refusal({ claims: { schema } }, claims)
      assert.equal(error.code, 'token_claim_invalid')
      assert.equal(error.detail, 'The claim "tenant" of the access token is not acceptable.')
    }
  })
}

test('claims.schema: cannot replace the claims that the guard relies on', async () => {
  const schema = z
    .looseObject({})
    .transform((claims) => ({ ...claims, sub: 'root', exp: 9e9, iss: 'evil', added: true }))
  let now = ISSUED * 1000
  const guard = guardWith({ claims: { schema }, now: () => now })
  const token = tokenFor()
  const { payload, subject } = await guard.authenticate(bearing(token))
  assert.deepEqual([subject, payload.sub, payload.iss, payload.exp], ['user-123', 'user-123', issuer, ISSUED + 900])
  assert.equal(payload.added, true)
  now += 901_000 + 5000
  assert.throws(() => guard.authenticate(bearing(token)), { code: 'token_expired' })
})

test('claims.schema: runs once for each token, after the signature is checked', async () => {
  let runs = 0
  const schema = z.looseObject({}).transform((claims) => {
    runs += 1
    return claims
  })
  const guard = guardWith({ claims: { schema } })
  const token = tokenFor()
  for (let i = 0; i < 3; i += 1) await guard.authenticate(bearing(token))
  assert.equal(runs, 1)
  assert.throws(() => guard.authenticate(bearing(`${token.slice(0, -3)}AAA`)))
  assert.equal(runs, 1)
})

test('claims.schema: one that is asynchronous, or returns no object, is an error of the program', () => {
  const asynchronous = z.looseObject({}).refine(async () => true)
  const call = (schema: unknown) => () =>
    guardWith({ claims: { schema: schema as never } }).authenticate(bearing(tokenFor()))
  assert.throws(call(asynchronous), { name: 'TypeError', message: 'createGuard: claims.schema must be synchronous' })
  const noObject = z.looseObject({}).transform(() => 7)
  assert.throws(call(noObject), { name: 'TypeError', message: 'createGuard: claims.schema must return an object' })
  const message =
    'createGuard: claims.schema must be a schema of a library with Standard Schema, such as zod or valibot (got an object)'
  assert.throws(() => guardWith({ claims: { schema: {} as never } }), { name: 'TypeError', message })
})

test('claims.schema: applies to the tokens of other issuers, too, unless they have their own', async () => {
  const own = { issuer: 'https://new.example.com', audience: 'orders-api', keys: key, revocation: null } as const
  const guardOf = (claims?: object) =>
    createGuard({
      ...{ ...own, claims: { schema: zodSchema }, now: () => ISSUED * 1000 },
      issuers: [{ issuer, typ: 'at+jwt', keys: key, revocation: null, ...(claims && { claims }) }],
    })
  const token = bearing(tokenFor({ tenant: 'x', roles: ['a'], team: 'b' }))
  assert.throws(() => guardOf().authenticate(token), { code: 'token_claim_invalid' })
  assert.throws(() => guardOf({ roles: 'team' }).authenticate(token), { code: 'token_claim_invalid' })
  const { roles } = (await guardOf({ roles: 'team', schema: z.looseObject({}) }).authenticate(token)) as Auth
  assert.deepEqual(roles, ['b'])
})
