import { render } from 'preact'
import { Shell } from '../components/shell.tsx'
import { applyTheme } from '../components/theme-button.tsx'
import { Inspector } from './inspector.tsx'

applyTheme()
render(
  <Shell page="inspect" available={['inspect']}>
    <Inspector />
  </Shell>,
  document.body,
)
