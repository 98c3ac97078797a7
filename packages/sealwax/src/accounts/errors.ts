import { defineErrors } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes extends Readonly<typeof accountErrors> {}
}

export const accountErrors = defineErrors({
  invalid_credentials: [401, 'Invalid credentials'],
  registration_disabled: [403, 'Registration is disabled'],
  email_taken: [409, 'E-mail address is taken'],
  id_taken: [409, 'User id is taken'],
  email_invalid: [422, 'Invalid e-mail address'],
  password_too_short: [422, 'Password is too short'],
  password_too_long: [422, 'Password is too long'],
  password_too_common: [422, 'Password is too common'],
  password_too_personal: [422, 'Password is too personal'],
  password_breached: [422, 'Password is breached'],
  password_hash_invalid: [422, 'Password hash cannot be used'],
  overloaded: [503, 'Too many log-ins at once'],
})
