/** The style of the page; the Content-Security-Policy contains its hash. */
export const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c1a19, #ece7e2); --soft: light-dark(#5d5650, #aaa29a); --page: light-dark(#fffdfb, #171513);
  --panel: light-dark(#f5f0ea, #211e1b); --line: light-dark(#ddd4ca, #3a3530); --accent: light-dark(#9b1c1c, #f0928a) }
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0 auto; max-width: 78rem; padding: 0 1rem 4rem; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
a { color: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
main:focus-visible { outline: none }
.skip { position: absolute; left: -100rem }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem 1rem; background: var(--page) }
header { padding: 1.5rem 0 .5rem }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2 }
small { color: var(--soft); font-weight: normal; font-size: .8em }
h1 small { font-size: .55em }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.4rem }
h3 { margin: 0; font-size: 1.05rem }
h3, summary span { display: inline }
h4 { margin: 1.1rem 0 .35rem; font-size: .9rem }
p { margin: .4rem 0; max-width: 46rem }
code, pre, b { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .9em; overflow-wrap: anywhere }
h3 code { font-size: 1em }
b { display: inline-block; min-width: 5em; font-size: .75em; padding: .12em .4em; border: 1px solid currentColor; border-radius: .3em; text-align: center }
.get { color: light-dark(#17663a, #7fd3a1) }
.post { color: light-dark(#1d4f9c, #8fb8f6) }
.patch, .put { color: light-dark(#80560a, #e3b861) }
.delete { color: light-dark(#9b1c1c, #f0928a) }
nav { font-size: .9rem }
nav h2 { margin: .9rem 0 .2rem; font-size: .8rem; color: var(--soft) }
nav ul { margin: 0; padding: 0; list-style: none }
nav a { display: flex; gap: .5rem; align-items: baseline; padding: .3rem .25rem; color: inherit; text-decoration: none; border-radius: .3em }
nav a:hover { background: var(--panel) }
nav span { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .9em; overflow-wrap: anywhere }
.operation { border: 1px solid var(--line); border-bottom-width: 0; padding: 0 1rem }
p + .operation { border-radius: .6rem .6rem 0 0; margin-top: .75rem }
.operation:last-child { border-bottom-width: 1px; border-radius: 0 0 .6rem .6rem }
p + .operation:last-child { border-radius: .6rem }
.operation > summary { margin: 0 -1rem; padding: .6rem 1rem; font-weight: normal }
.operation > summary:hover { background: var(--panel) }
summary span { color: var(--soft); margin-left: .5rem }
article { padding-bottom: .75rem; scroll-margin-top: 4rem }
tr:target { background: var(--panel) }
.needs, .header { color: var(--soft) }
pre { margin: 1rem 0; padding: .75rem; background: var(--panel); border-radius: .4rem; white-space: pre-wrap }
.scroll { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
th, td { padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: normal }
thead th { border: 0; color: var(--soft); font-size: .8rem }
summary { margin-top: 1rem; padding: .2rem 0; font-weight: 600; font-size: .9rem; cursor: pointer }
@media (min-width: 62rem) {
  body { display: grid; grid-template-columns: 17rem minmax(0, 1fr); column-gap: 2.5rem }
  header { grid-column: 1 / -1 }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding-bottom: 2rem }
  main > section:first-child > h2 { margin-top: .9rem }
}
@media (max-width: 61.99rem) { nav { display: none } }
@media (max-width: 40rem) {
  thead { position: absolute; left: -100rem }
  tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line) }
  th, td { display: block; padding: .1rem 0; border: 0 }
  td { color: var(--soft) }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth } }
`
