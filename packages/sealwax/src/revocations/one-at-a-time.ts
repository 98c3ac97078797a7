/** Runs a function one at a time. Calls during a run cause one more run after it. */
export function oneAtATime(run: () => Promise<void>, failed: (error: unknown) => void) {
  let running: Promise<void> | undefined
  let again = false
  const runAll = async () => {
    do {
      again = false
      await run().catch(failed)
    } while (again)
    running = undefined
  }
  return {
    start() {
      if (running === undefined) running = runAll()
      else again = true
    },
    async done() {
      await running
    },
  }
}
