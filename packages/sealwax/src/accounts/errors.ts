import { defineErrors } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes extends Readonly<typeof accountErrors> {}
}

export const accountErrors = defineErrors({
  invalid_credentials: [401, 'Invalid credentials'],
  one_time_token_invalid: [400, 'Link or code is invalid'],
  registration_disabled: [403, 'Registration is disabled'],
  registration_refused: [403, 'Registration was refused'],
  email_taken: [409, 'E-mail address is taken'],
  id_taken: [409, 'User id is taken'],
  own_account: [409, 'Not possible for your own account'],
  password_not_set: [409, 'User has no password'],
  user_external: [409, 'User belongs to the application'],
  attributes_invalid: [422, 'Invalid attributes'],
  email_invalid: [422, 'Invalid e-mail address'],
  password_incorrect: [422, 'Current password is incorrect'],
  password_too_short: [422, 'Password is too short'],
  password_too_long: [422, 'Password is too long'],
  password_too_common: [422, 'Password is too common'],
  password_too_personal: [422, 'Password is too personal'],
  password_breached: [422, 'Password is breached'],
  password_hash_invalid: [422, 'Password hash cannot be used'],
  mail_unavailable: [501, 'Mail is not configured'],
  overloaded: [503, 'Too many log-ins at once'],
})
