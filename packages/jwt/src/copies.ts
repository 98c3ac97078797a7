/**
 * Returns a value that all copies of this package in a process share, so that each can use the keys
 * of the others: npm may install several.
 *
 * @param name ends with a number, which changes together with the type of the value
 */
export function sharedByCopies<T>(name: string, create: () => T): T {
  const symbol = Symbol.for(`sealwax.jwt.${name}`)
  const value: T = Reflect.get(globalThis, symbol) ?? create()
  Reflect.set(globalThis, symbol, value)
  return value
}
