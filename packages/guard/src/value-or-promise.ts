/**
 * A value, or a promise where something must be fetched or looked up first. Most requests need no
 * promise: a token that was verified before is authenticated in the same turn of the event loop.
 */
export type ValueOrPromise<T> = T | Promise<T>

/**
 * Continues with a value at once, or with a promise when it fulfills.
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
 * Starts something, and recovers from what it throws or rejects with.
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
