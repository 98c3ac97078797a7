import { useRef, useState } from 'preact/hooks'

/** What makes a button run an action. */
export interface ActionProps {
  readonly onClick: () => Promise<void>
  /** While any action runs. Unlike `disabled`, it leaves the focus where it is. */
  readonly 'aria-disabled': boolean
}

/**
 * Returns a function that makes button properties of actions. While one action runs, further clicks
 * do nothing: a second click would send the same refresh token again.
 */
export function useOneAtATime(): (action: () => Promise<void>) => ActionProps {
  const running = useRef(false)
  const [isRunning, setIsRunning] = useState(false)
  return (action) => ({
    'aria-disabled': isRunning,
    async onClick() {
      if (running.current) return
      running.current = true
      setIsRunning(true)
      try {
        await action()
      } finally {
        running.current = false
        setIsRunning(false)
      }
    },
  })
}
