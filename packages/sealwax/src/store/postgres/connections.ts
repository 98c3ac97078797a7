/** One to listen, one to read, one to write. */
export const FEWEST_CONNECTIONS = 3
export const MOST_CONNECTIONS = 1000
export const DEFAULT_CONNECTIONS = 10

export function isConnectionCount(count: number): boolean {
  return Number.isInteger(count) && count >= FEWEST_CONNECTIONS && count <= MOST_CONNECTIONS
}

/** Divides the connections between readers and writers. The remaining one listens. */
export function shareConnections(count: number): { readers: number; writers: number } {
  const readers = Math.floor((count - 1) / 2)
  return { readers, writers: count - 1 - readers }
}
