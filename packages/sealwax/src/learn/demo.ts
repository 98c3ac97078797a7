/** What the tokens of the lesson are for. */
export const AUDIENCE = 'lesson'

/** The refresh cookie. A server of the reader's own on this computer may use the default name. */
export const REFRESH_COOKIE = 'lesson'

/**
 * The user as whom the reader logs in. The password is public: the server exists only in memory.
 */
export const ADA = {
  ...{ id: 'ada', email: 'ada@example.com', password: 'a lesson in memory' },
  roles: ['student'],
}

/** Another user, who may do more. */
export const GRACE = {
  ...{ id: 'grace', email: 'grace@example.com', password: 'a teacher in memory' },
  roles: ['student', 'teacher'],
}
