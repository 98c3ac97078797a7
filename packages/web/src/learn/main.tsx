import { render } from 'preact'
import { Shell } from '../components/shell.tsx'
import { applyTheme } from '../components/theme-button.tsx'
import { Lesson } from './lesson.tsx'

applyTheme()
render(
  <Shell page="learn" available={['inspect', 'learn']}>
    <Lesson />
  </Shell>,
  document.body,
)
