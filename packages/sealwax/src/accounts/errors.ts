import { defineErrors, type ErrorRow } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes {
    invalid_credentials: ErrorRow
    registration_disabled: ErrorRow
    email_taken: ErrorRow
    id_taken: ErrorRow
    email_invalid: ErrorRow
    password_too_short: ErrorRow
    password_too_long: ErrorRow
    overloaded: ErrorRow
  }
}

export const accountErrors = defineErrors({
  invalid_credentials: [401, 'Invalid credentials'],
  registration_disabled: [403, 'Registration is disabled'],
  email_taken: [409, 'E-mail address is taken'],
  id_taken: [409, 'User id is taken'],
  email_invalid: [422, 'Invalid e-mail address'],
  password_too_short: [422, 'Password is too short'],
  password_too_long: [422, 'Password is too long'],
  overloaded: [503, 'Too many log-ins at once'],
})
