import type { FunctionComponent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { LiveProps } from './step.ts'

/** A live part that is loaded when its step is shown, so that the lesson itself loads fast. */
export function lazily(load: () => Promise<FunctionComponent<LiveProps>>): FunctionComponent<LiveProps> {
  return function Lazily(props: LiveProps) {
    const [Loaded, setLoaded] = useState<FunctionComponent<LiveProps>>()
    const [isMissing, setMissing] = useState(false)
    useEffect(() => {
      load().then(
        (component) => setLoaded(() => component),
        () => setMissing(true),
      )
    }, [])
    if (Loaded !== undefined) return <Loaded {...props} />
    return <p>{isMissing ? 'The editor did not load. Is the lesson still running?' : 'Loading the editor…'}</p>
  }
}
