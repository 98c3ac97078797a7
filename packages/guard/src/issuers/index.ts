export {
  type Auth0Options,
  auth0,
  type ClerkOptions,
  type CognitoOptions,
  clerk,
  cognito,
  type KeycloakOptions,
  keycloak,
  type OidcOptions,
  type OktaOptions,
  oidc,
  okta,
  type SupabaseOptions,
  supabase,
} from './access-tokens.ts'
export { type EntraOptions, entra } from './entra.ts'
export { type AppleOptions, apple, type FirebaseOptions, firebase, type GoogleOptions, google } from './id-tokens.ts'
export type { KnownIssuer, Names } from './known-issuer.ts'
export {
  type CloudflareAccessOptions,
  cloudflareAccess,
  type GitHubActionsOptions,
  githubActions,
  type KubernetesOptions,
  kubernetes,
} from './workloads.ts'
