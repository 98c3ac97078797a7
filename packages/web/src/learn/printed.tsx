import { renderToStaticMarkup } from 'preact-render-to-string'
import { steps } from './steps.ts'

/**
 * Returns the whole text of the lesson as one page without scripts.
 *
 * @param style the address of the stylesheet
 */
export function printed(style: string): string {
  const body = renderToStaticMarkup(
    <main class="printed">
      <h1>Learn JWT authentication</h1>
      <p>
        This is the text of the lesson. In <a href="../learn">the lesson itself</a> you send the requests.
      </p>
      <nav aria-label="Steps">
        <ol>
          {steps.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`}>{title}</a>
            </li>
          ))}
        </ol>
      </nav>
      {steps.map((step, index) => (
        <article key={step.id} id={step.id}>
          <h2>
            {index + 1}. {step.title}
          </h2>
          {step.text}
          {step.tasks.map((task) => (
            <section key={task.id}>
              <h3>{task.title}</h3>
              {task.text}
              {task.Printed && <task.Printed />}
              {task.afterwards}
            </section>
          ))}
        </article>
      ))}
    </main>,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style}">
<title>Learn JWT authentication: the whole text · Sealwax</title>
</head>
<body>
${body}
</body>
</html>
`
}
