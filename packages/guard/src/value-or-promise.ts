/**
 * A value, or a promise where something must be fetched or looked up first. Most requests need no
 * promise: a token that was verified before is authenticated in the same turn of the event loop.
 */
export type ValueOrPromise<T> = T | Promise<T>

/** Continues with a value at once, or with a promise when it fulfills. */
export function andThen<T, U>(value: ValueOrPromise<T>, next: (value: T) => ValueOrPromise<U>): ValueOrPromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Starts something, and recovers from what it throws or rejects with. */
export function orElse<T>(
  start: () => ValueOrPromise<T>,
  recover: (error: unknown) => ValueOrPromise<T>,
): ValueOrPromise<T> {
  try {
    const result = start()
    return result instanceof Promise ? result.catch(recover) : result
  } catch (error) {
    return recover(error)
  }
}
