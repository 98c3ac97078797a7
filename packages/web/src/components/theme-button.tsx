import { useState } from 'preact/hooks'
import { readStored, store } from '../storage.ts'

const KEY = 'sealwax-theme'

/** Switches between light and dark; without a choice, the system decides. */
export function ThemeButton() {
  const [theme, setTheme] = useState(() => readStored(KEY) ?? systemTheme())
  const other = theme === 'dark' ? 'light' : 'dark'
  const choose = () => {
    store(KEY, other)
    document.documentElement.dataset.theme = other
    setTheme(other)
  }
  return (
    <button type="button" class="secondary small" onClick={choose}>
      {other === 'dark' ? 'Dark' : 'Light'}
      <span class="visually-hidden">colours</span>
    </button>
  )
}

/** Applies the choice of an earlier visit. Call it before the first rendering. */
export function applyTheme(): void {
  const theme = readStored(KEY)
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
}

function systemTheme(): string {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}
