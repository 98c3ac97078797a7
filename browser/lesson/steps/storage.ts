import type { StepWalk } from '../reader.ts'

const POST = 'Post the comment and open the page'

export const storage: StepWalk = {
  id: 'storage',
  isSlow: true,
  async walk({ task }) {
    const localStorage = task('local-storage')
    await localStorage.press('Log in, token in localStorage')
    await localStorage.sees(/^Ada is logged in\.$/)
    await localStorage.press(POST)
    await localStorage.press('Use the stolen token')
    await localStorage.sees('200 OK')
    await localStorage.isDone()

    const cookie = task('cookie')
    await cookie.choose('It finds the refresh token in the cookie.')
    await cookie.press('Log in, token in a cookie')
    await cookie.sees(/^Ada is logged in\.$/)
    await cookie.press(POST)
    await cookie.sees('Not as you expected.')
    await cookie.isDone()

    const act = task('act')
    await act.press('Log in, token in a cookie')
    await act.sees(/^Ada is logged in\.$/)
    await act.press(POST)
    await act.sees(/Hello, ada/)
    await act.isDone()

    const otherSite = task('other-site')
    await otherSite.choose('The request arrives without the cookie.')
    await otherSite.press('Log in, token in a cookie')
    await otherSite.sees(/^Ada is logged in\.$/)
    await otherSite.pressForNotice('Let the other site send a form')
    await otherSite.sees('The browser stopped it')
    await otherSite.pressForNotice('Let the other site call fetch')
    await otherSite.sees('The browser stopped it')
    await otherSite.isDone()

    const sameSite = task('same-site')
    await sameSite.choose('The cookie arrives, and the server refuses the request.')
    await sameSite.press('Log in, token in a cookie')
    await sameSite.sees(/^Ada is logged in\.$/)
    await sameSite.pressForNotice('Let the other origin call fetch')
    await sameSite.sees('The server stopped it')
    await sameSite.isDone()
  },
}
