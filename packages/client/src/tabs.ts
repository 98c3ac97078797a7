/**
 * What tabs tell each other. `login` comes after a log-in that failed, too, and `entering` before
 * each.
 */
export type News = 'entering' | 'login' | 'logout'

/** The other tabs of the same client. */
export interface Tabs {
  tell(news: News): void
  close(): void
}

/**
 * Listens to the other tabs. Without BroadcastChannel, a tab hears of a log-in or log-out at its
 * next refresh.
 */
export function joinTabs(name: string, heard: (news: News) => void): Tabs {
  let channel: BroadcastChannel | undefined
  try {
    channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }) => heard(data)
    // In Node, an open channel would keep the process alive.
    ;(channel as { unref?: () => void }).unref?.()
  } catch {
    // There is none, or the browser does not allow it.
  }
  return {
    tell: (news) => channel?.postMessage(news),
    close() {
      channel?.close()
      channel = undefined
    },
  }
}
