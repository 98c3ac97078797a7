import { createElement } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { App } from './app.ts'

// Runs in the browser.
hydrateRoot(document.querySelector('#root') as Element, createElement(App, { baseUrl: location.origin }))
