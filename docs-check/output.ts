/** Whether an output is what a page shows: `…` stands for any text. */
export function matchesOutput(shown: string, output: string): boolean {
  const parts = shown
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*?')}$`).test(output.replaceAll('\r\n', '\n').trim())
}
