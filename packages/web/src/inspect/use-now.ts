import { useEffect, useState } from 'preact/hooks'

const TICK_MS = 1000

/** The time in seconds since 1970, every second anew. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  return now
}
