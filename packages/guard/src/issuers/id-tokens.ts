import { checkOptions, mustBe, type OptionRules } from '../strict-options.ts'
import { type KnownIssuer, mustBeNames, mustBeString, type Names, USUAL_CLAIMS } from './known-issuer.ts'

const mustBeClients = mustBeNames('the id of a client, or a list')

/** Options of {@link google}. */
export interface GoogleOptions {
  /** The client ids of the applications that users sign in to. */
  readonly clients: Names
  /** The Google Workspace domain of the users (`hd`). Default: any Google account. */
  readonly hostedDomain?: string
}

const GOOGLE: OptionRules<GoogleOptions> = {
  example: '{ clients }',
  required: ['clients'],
  rules: { clients: mustBeClients, hostedDomain: mustBeString('a domain such as example.com') },
}

/**
 * ID tokens of Google. The access tokens of Google are not JWTs. An `iss` without `https://`, which
 * Google documents but no longer writes, is refused.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function google(options: GoogleOptions): KnownIssuer {
  checkOptions('google', options, GOOGLE)
  const { clients, hostedDomain } = options
  return {
    issuer: 'https://accounts.google.com',
    audience: clients,
    typ: 'JWT',
    requiredClaims: USUAL_CLAIMS,
    kind: 'ID token',
    ...(hostedDomain !== undefined && { check: ({ payload }) => payload.hd === hostedDomain }),
    revocation: null,
  }
}

/** Options of {@link firebase}. */
export interface FirebaseOptions {
  /** The id of the project. */
  readonly project: string
}

const FIREBASE: OptionRules<FirebaseOptions> = {
  example: '{ project }',
  required: ['project'],
  rules: {
    project: mustBe('the id of a project', (value) => typeof value === 'string' && /^[a-z0-9-]+$/.test(value)),
  },
}

/**
 * ID tokens of Firebase Authentication and Identity Platform. `auth.roles` is the custom claim
 * `roles`, if you set one.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function firebase(options: FirebaseOptions): KnownIssuer {
  checkOptions('firebase', options, FIREBASE)
  const { project } = options
  return {
    issuer: `https://securetoken.google.com/${project}`,
    audience: project,
    typ: 'JWT',
    requiredClaims: [...USUAL_CLAIMS, 'auth_time'],
    kind: 'ID token',
    revocation: null,
  }
}

/** Options of {@link apple}. */
export interface AppleOptions {
  /** The bundle ids of the apps, and the Services IDs of the websites. */
  readonly clients: Names
}

const APPLE: OptionRules<AppleOptions> = {
  example: '{ clients }',
  required: ['clients'],
  rules: { clients: mustBeClients },
}

/**
 * ID tokens of Sign in with Apple.
 * @throws {TypeError} for options that are unknown, missing or not accepted
 */
export function apple(options: AppleOptions): KnownIssuer {
  checkOptions('apple', options, APPLE)
  return {
    issuer: 'https://appleid.apple.com',
    audience: options.clients,
    typ: null,
    requiredClaims: USUAL_CLAIMS,
    kind: 'ID token',
    revocation: null,
  }
}
