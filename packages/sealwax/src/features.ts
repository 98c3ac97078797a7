import { accountsFeature } from './accounts/feature.ts'
import { core } from './core/core-feature.ts'
import { dpopFeature } from './dpop/feature.ts'
import { mailFeature } from './mail/feature.ts'
import { oauthFeature } from './oauth/feature.ts'
import { pagesFeature } from './pages/feature.ts'
import { revocationsFeature } from './revocations/feature.ts'
import { sessionsFeature } from './sessions/feature.ts'
import { signingKeysFeature } from './signing-keys/feature.ts'
import { throttlingFeature } from './throttling/feature.ts'

/** Everything that Sealwax is composed of. Each feature imports only from those before it. */
export const features: readonly [
  typeof core,
  typeof revocationsFeature,
  typeof signingKeysFeature,
  typeof dpopFeature,
  typeof sessionsFeature,
  typeof mailFeature,
  typeof throttlingFeature,
  typeof accountsFeature,
  typeof oauthFeature,
  typeof pagesFeature,
] = [
  core,
  revocationsFeature,
  signingKeysFeature,
  dpopFeature,
  sessionsFeature,
  mailFeature,
  throttlingFeature,
  accountsFeature,
  oauthFeature,
  pagesFeature,
]
