import { createRemoteJWKSet } from '@sealwax/jwt'
import type { GuardOptions } from '../options.ts'
import { checkOptions, isListOf, mustBe, type OptionRules } from '../strict-options.ts'
import { isOneOf, type KnownIssuer, mustBeNames, mustBeString, type Names, USUAL_CLAIMS } from './known-issuer.ts'

const mustBeAudience = mustBeNames('the audience of this API in the tokens, or a list')

/** Options of {@link githubActions}. */
export interface GitHubActionsOptions {
  /** The audience that the workflow requests. */
  readonly audience: Names
  /** The repositories whose workflows are accepted, each as `owner/name`. */
  readonly repositories: Names
}

const isRepository = (value: unknown) => typeof value === 'string' && /^[\w.-]+\/[\w.-]+$/.test(value)

const GITHUB_ACTIONS: OptionRules<GitHubActionsOptions> = {
  example: "{ audience, repositories: 'owner/name' }",
  required: ['audience', 'repositories'],
  rules: {
    audience: mustBeAudience,
    repositories: mustBe("a repository such as 'owner/name', or a list", (value) =>
      isListOf([value].flat(), isRepository),
    ),
  },
}

/**
 * Tokens of workflows of GitHub Actions. Anybody can request one with any audience, so the
 * repositories must be named. Restrict branch or environment with `ref` and `environment` in
 * `auth.payload`.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function githubActions(options: GitHubActionsOptions): KnownIssuer {
  checkOptions('githubActions', options, GITHUB_ACTIONS)
  const { audience, repositories } = options
  return {
    issuer: 'https://token.actions.githubusercontent.com',
    audience,
    typ: 'JWT',
    requiredClaims: [...USUAL_CLAIMS, 'jti', 'repository'],
    check: ({ payload }) => isOneOf(payload.repository, repositories),
    revocation: null,
  }
}

/** Options of {@link kubernetes}. */
export interface KubernetesOptions {
  /** The `iss` of the cluster: `kubectl get --raw /.well-known/openid-configuration` shows it. */
  readonly issuer: string
  /** The audience of the projected tokens. */
  readonly audience: Names
  /** The service accounts that are accepted, each as `namespace/name`. */
  readonly serviceAccounts: Names
}

const isServiceAccount = (value: unknown) => typeof value === 'string' && /^[a-z0-9-]+\/[a-z0-9.-]+$/.test(value)

const KUBERNETES: OptionRules<KubernetesOptions> = {
  example: "{ issuer, audience, serviceAccounts: 'namespace/name' }",
  required: ['issuer', 'audience', 'serviceAccounts'],
  rules: {
    issuer: mustBeString('the iss of the cluster'),
    audience: mustBeAudience,
    serviceAccounts: mustBe("a service account such as 'namespace/name', or a list", (value) =>
      isListOf([value].flat(), isServiceAccount),
    ),
  },
}

/**
 * Tokens of service accounts of a Kubernetes cluster. If the issuer cannot be reached without
 * credentials or from outside, give the keys with `keys`.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function kubernetes(options: KubernetesOptions): KnownIssuer {
  checkOptions('kubernetes', options, KUBERNETES)
  const { issuer, audience, serviceAccounts } = options
  const subjects = [serviceAccounts].flat().map((name) => `system:serviceaccount:${name.replace('/', ':')}`)
  return {
    issuer,
    audience,
    typ: null,
    requiredClaims: USUAL_CLAIMS,
    check: ({ subject }) => subjects.includes(subject),
    revocation: null,
  }
}

/** Options of {@link cloudflareAccess}. */
export interface CloudflareAccessOptions {
  /** The name of the team: `example` for `example.cloudflareaccess.com`. */
  readonly team: string
  /** The AUD tag of the application. */
  readonly audience: Names
}

const CLOUDFLARE_ACCESS: OptionRules<CloudflareAccessOptions> = {
  example: '{ team, audience }',
  required: ['team', 'audience'],
  rules: {
    team: mustBe(
      "the name of a team such as 'example'",
      (value) => typeof value === 'string' && /^[a-z0-9-]+$/.test(value),
    ),
    audience: mustBeAudience,
  },
}

/**
 * Tokens that Cloudflare Access adds to the requests it lets through, in the header
 * `Cf-Access-Jwt-Assertion`. For a service token, which has an empty `sub`, `auth.subject` is its
 * client id (`common_name`).
 *
 * As one of several `issuers`, leave out `token`: it is an option of the whole guard.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function cloudflareAccess(options: CloudflareAccessOptions): KnownIssuer & Pick<GuardOptions, 'keys' | 'token'> {
  checkOptions('cloudflareAccess', options, CLOUDFLARE_ACCESS)
  const { team, audience } = options
  const issuer = `https://${team}.cloudflareaccess.com`
  return {
    issuer,
    audience,
    typ: 'JWT',
    requiredClaims: ['iss', 'aud', 'exp', 'iat'],
    claims: { subject: ({ sub, common_name: name }) => sub || name, clientId: 'common_name' },
    // Its metadata is elsewhere for each application.
    keys: createRemoteJWKSet(`${issuer}/cdn-cgi/access/certs`),
    token: { header: 'Cf-Access-Jwt-Assertion' },
    revocation: null,
  }
}
