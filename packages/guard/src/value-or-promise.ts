/**
 * A value, or a promise if something must be fetched or looked up first. Most requests do not need
 * a promise: a token that was verified before is authenticated in the same turn of the event loop.
 */
export type ValueOrPromise<T> = T | Promise<T>

/**
 * Calls `next` with a value immediately, or with the value of a promise once it fulfills.
 * @param state passed on to `next`, which then need not be a new function for each request
 */
export function andThen<T, U, S>(
  value: ValueOrPromise<T>,
  next: (value: T, state: S) => ValueOrPromise<U>,
  state: S,
): ValueOrPromise<U> {
  return value instanceof Promise ? value.then((found) => next(found, state)) : next(value, state)
}

/**
 * Calls `start`. If it throws or rejects, calls `recover` with the error.
 * @param state passed on to both, as in {@link andThen}
 */
export function orElse<T, S>(
  start: (state: S) => ValueOrPromise<T>,
  recover: (error: unknown, state: S) => ValueOrPromise<T>,
  state: S,
): ValueOrPromise<T> {
  try {
    const result = start(state)
    return result instanceof Promise ? result.catch((error: unknown) => recover(error, state)) : result
  } catch (error) {
    return recover(error, state)
  }
}
