/** A page whose session has ended goes on by itself once its user is signed in again, in whichever tab. */

import { checkSession, endSession, onSignedIn, session, startSession } from "../lib/session.js"
import { live } from "../live/index.js"

// A new password replaces the session: its cookie may come after the end of the old one.
const RENEWAL_WAITS_MS = [500, 2_000, 6_000]

const SAVING_MS = 2_000

startSession()

document.addEventListener("submit", (event) => {
  const { target } = event
  if (new URL(target.action, location).pathname !== "/logout/" || target.method !== "post") return
  event.preventDefault()
  saveBefore(() => {
    endSession()
    target.submit()
  })
})
live.addEventListener("state", ({ detail }) => {
  if (detail.state === "ended") for (const wait of RENEWAL_WAITS_MS) setTimeout(resume, wait)
})
document.addEventListener("visibilitychange", () => document.hidden || resume())
addEventListener("focus", resume)
addEventListener("pageshow", ({ persisted }) => persisted && checkSession())
onSignedIn(checkSession)
session.addEventListener("confirmed", () => live.resume())

/** Waits, for a moment at most, until what is being written is on the server, which keeps it for the next sign-in. */
function saveBefore(leave) {
  const saving = []
  const detail = { waitFor: (promise) => saving.push(promise) }
  document.dispatchEvent(new CustomEvent("session:ending", { detail }))
  const moment = new Promise((resolve) => setTimeout(resolve, SAVING_MS))
  Promise.race([Promise.all(saving), moment]).finally(leave)
}

function resume() {
  if (live.state === "ended") checkSession()
}
