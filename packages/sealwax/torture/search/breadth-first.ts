/** A situation, and the step and the situation from which it was reached. */
interface Reached<S> {
  /** Undefined once it was expanded: only the history is kept. */
  state: S | undefined
  readonly step: string
  readonly from: Reached<S> | undefined
}

export interface Found {
  /** The number of histories tried: every step from every different situation. */
  readonly histories: number
  /** The number of different situations reached. */
  readonly situations: number
  /**
   * The steps of the shortest history that breaks the promise, in order. Undefined if there is
   * none.
   */
  readonly broken: readonly string[] | undefined
}

/**
 * Tries every history of up to `depth` steps, shortest first. Situations with the same key are
 * expanded once.
 * @param expand calls `to` for each step that is possible in a situation; a step to `undefined`
 *   breaks the promise
 */
export function searchHistories<S>(
  start: S,
  depth: number,
  keyOf: (state: S) => string,
  expand: (state: S, to: (step: string, next: S | undefined) => void) => void,
): Found {
  const seen = new Set([keyOf(start)])
  let frontier: Reached<S>[] = [{ state: start, step: 'begin', from: undefined }]
  let histories = 0
  for (let steps = 1; steps <= depth && frontier.length > 0; steps += 1) {
    const reached: Reached<S>[] = []
    let broken: Reached<S> | undefined
    for (const from of frontier) {
      expand(from.state as S, (step, next) => {
        histories += 1
        if (next === undefined) {
          broken ??= { state: undefined, step, from }
          return
        }
        const key = keyOf(next)
        if (seen.has(key)) return
        seen.add(key)
        reached.push({ state: next, step, from })
      })
      from.state = undefined
      if (broken !== undefined) return { histories, situations: seen.size, broken: storyOf(broken) }
    }
    frontier = reached
  }
  return { histories, situations: seen.size, broken: undefined }
}

function storyOf<S>(last: Reached<S>): string[] {
  const steps: string[] = []
  for (let at: Reached<S> | undefined = last; at !== undefined; at = at.from) steps.unshift(at.step)
  return steps
}
