import { useRef } from 'preact/hooks'

/**
 * Returns a function that makes click handlers of actions. While one action runs, further clicks do
 * nothing: a second click would send the same refresh token again.
 */
export function useOneAtATime(): (action: () => Promise<void>) => () => Promise<void> {
  const running = useRef(false)
  return (action) => async () => {
    if (running.current) return
    running.current = true
    try {
      await action()
    } finally {
      running.current = false
    }
  }
}
