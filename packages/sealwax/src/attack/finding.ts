/** What is wrong with a route. */
export interface Finding {
  /** What was sent, in words. */
  readonly name: string
  /** The rule that the route breaks, or the advisory. */
  readonly source: string
  /** What the route did. */
  readonly fault: string
}
