import type { ComponentChildren } from 'preact'

/** A paragraph that stands out. The kind is also said in words by the text. */
export function Notice({ kind = '', children }: { kind?: 'good' | 'bad' | ''; children: ComponentChildren }) {
  return <div class={`notice ${kind}`}>{children}</div>
}
