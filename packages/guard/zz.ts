import { createTestIssuer, hostileTokens, testGuardedRoute } from './src/testing/index.ts'
for (const alg of ['ES256','ES384','ES512','EdDSA','Ed25519','HS256','HS384','HS512','RS256','RS512','PS256','PS384'] as const) {
  const issuer = createTestIssuer({ alg })
  const guard = issuer.guard()
  const t = hostileTokens(issuer)
  const names = new Set(t.map(x=>x.name)); 
  const dup = t.filter((x,i)=>t.findIndex(y=>y.name===x.name)!==i).map(x=>x.name)
  console.log(alg, t.length, names.size, dup, t.filter(x => !/^[\x20-\x7e\t]*$/.test(x.token)).map(x=>x.name), Math.max(...t.map(x=>x.token.length)))
  try { console.log(await testGuardedRoute({ issuer, good: {roles:['a'], scope:'b'}, request: (headers) => { try { guard.authenticate({ headers }); return { status: 200 } } catch (e) { return { status: (e as any).status ?? 500 } } } })) } catch (e) { console.log((e as Error).message) }
}
