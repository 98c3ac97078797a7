export { forgedTokens } from './forged-tokens.ts'
export { type GuardedRouteOptions, type RouteAnswer, testGuardedRoute } from './guarded-route.ts'
export { type HostileHeaders, hostileHeaders } from './hostile-headers.ts'
export { type HostileCategory, type HostileToken, hostileTokens } from './hostile-tokens.ts'
export {
  createTestIssuer,
  type MintOptions,
  type TestClock,
  type TestIssuer,
  type TestIssuerOptions,
} from './issuer.ts'
