/** What a wrong argument is, for messages; never its value. */
export function shapeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Promise) return 'a promise'
  const type = typeof value
  return type === 'object' ? 'an object' : `a ${type}`
}
