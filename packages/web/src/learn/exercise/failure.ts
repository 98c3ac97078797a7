import type { Failure } from './protocol.ts'

/** Describes what was thrown, which need not be an error. */
export function describeFailure(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown), lines: [] }
  const lines = [...(thrown.stack ?? '').matchAll(/:(\d+):\d+\)?$/gm)].map((match) => Number(match[1]))
  return { name: thrown.name, message: thrown.message, lines }
}
