import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { App } from './app.ts'

/** What a server sends before the browser takes over. */
export function renderApp(baseUrl: string): string {
  return renderToString(createElement(App, { baseUrl }))
}
