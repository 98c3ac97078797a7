import type { GuardOptions, TrustedIssuer } from '../options.ts'
import { checkOptions, isListOf, mustBe, type OptionRules } from '../strict-options.ts'
import { type KnownIssuer, mustBeBaseUrl, mustBeNames, type Names, USUAL_CLAIMS } from './known-issuer.ts'

interface Common {
  /**
   * The `aud` of the tokens. In v2 tokens it is the client id of the API, in v1 tokens its
   * application ID URI, such as `api://…`.
   */
  readonly audience: Names
  /**
   * The version of the access tokens, `requestedAccessTokenVersion` in the manifest of the API.
   * Default 2.
   */
  readonly version?: 1 | 2
  /**
   * The address of the cloud. Default `https://login.microsoftonline.com`; national clouds have
   * others. Version 2 only: the `iss` of version 1 does not contain it.
   */
  readonly authority?: string
}

/** Which tenant, or tenants, and which API. */
export type EntraOptions = Common &
  (
    | { readonly tenant: string; readonly tenants?: never }
    | { readonly tenants: readonly [string, ...string[]]; readonly tenant?: never }
  )

const isTenant = (value: unknown) =>
  typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)

const ENTRA: OptionRules<EntraOptions> = {
  example: '{ tenant, audience }',
  required: ['audience'],
  rules: {
    tenant: mustBe("the id of a tenant, a GUID in lower case; 'common' and 'organizations' are no tenants", isTenant),
    tenants: mustBe('a list of at least one id of a tenant, each a GUID in lower case', (value) =>
      isListOf(value, isTenant),
    ),
    audience: mustBeNames('the audience of this API in the tokens, or a list'),
    version: mustBe('1 or 2', (value) => value === 1 || value === 2),
    authority: mustBeBaseUrl,
  },
}

/**
 * Access tokens of Microsoft Entra ID. Only the listed tenants are accepted, each with the keys
 * that Entra publishes for it; a key whose `issuer` names another tenant is left out.
 *
 * `auth.scopes` are `scp` (delegated permissions), `auth.roles` app roles and application
 * permissions, `auth.clientId` the client (`azp`, in version 1 `appid`). ID tokens lack that claim,
 * so they are refused.
 * @example
 * createGuard(entra({ tenant: '9188040d-…', audience: 'client id of the API' }))
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function entra(options: EntraOptions): KnownIssuer & Pick<GuardOptions, 'issuers'> {
  checkOptions('entra', options, ENTRA)
  const { tenant, tenants = tenant === undefined ? [] : [tenant] } = options
  const [first, ...others] = tenants.map((id) => entryOf(id, options))
  if (first === undefined) throw new TypeError('entra: tenant or tenants must be given')
  return others.length === 0 ? first : { ...first, issuers: others satisfies TrustedIssuer[] }
}

function entryOf(
  tenant: string,
  { audience, version = 2, authority = 'https://login.microsoftonline.com' }: Common,
): KnownIssuer {
  const client = version === 2 ? 'azp' : 'appid'
  return {
    issuer: version === 2 ? `${authority}/${tenant}/v2.0` : `https://sts.windows.net/${tenant}/`,
    audience,
    typ: 'JWT',
    requiredClaims: [...USUAL_CLAIMS, 'tid', client],
    claims: { scopes: 'scp', clientId: client },
    check: ({ payload }) => payload.tid === tenant,
    revocation: null,
  }
}
