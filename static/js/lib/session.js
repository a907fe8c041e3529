/** The session of this browser, which other tabs may end or renew: drafts, sign-out, and the CSRF token. */

import { LocalDrafts } from "./drafts/local-drafts.js"
import { config, csrfToken, setCsrfToken } from "./page-config.js"

const MARK = "signed-in"
// A network that swallows everything gives no sign.
const MAX_WAIT_MS = 20_000

/** Dispatches "confirmed" when the server has confirmed that this page's user is signed in. */
export const session = new EventTarget()

export const drafts = new LocalDrafts(config.user, storage())

/** Removes drafts of users who were signed in before, and shows other tabs who is now. */
export function startSession() {
  drafts.prune()
  if (storage().getItem(MARK) !== config.user) storage().setItem(MARK, config.user)
}

/** Leaves nothing for the next person on this browser. */
export function endSession() {
  drafts.clear()
  storage().removeItem(MARK)
}

/** Calls `handler` when another tab signs a user in. */
export function onSignedIn(handler) {
  addEventListener("storage", ({ key, newValue }) => key === MARK && newValue !== null && handler())
}

/**
 * Asks the server who is signed in, and takes the new CSRF token.
 *
 * @returns {Promise<"same" | "none" | "other" | "unknown">} the user of this page, no user, or another one: the page
 *   then removes what this one has typed, and is loaded again as the other's
 */
export async function checkSession() {
  try {
    const response = await fetch("/session/", { headers: { Accept: "application/json" }, cache: "no-store" })
    if (!response.ok) return "unknown"
    const { user, csrf_token } = await response.json()
    if (user === null) return "none"
    if (user !== config.user) return handOver()
    setCsrfToken(csrf_token)
    session.dispatchEvent(new Event("confirmed"))
    return "same"
  } catch {
    return "unknown"
  }
}

/**
 * Sends a form for JSON; once more if the server refuses it and the user has signed out and in again since, in another
 * tab. Redirects, which lead to the sign-in page, are not followed.
 *
 * @param {FormData} body
 */
export async function postForm(address, body) {
  const response = await post(address, body)
  if (response.status !== 403 && response.type !== "opaqueredirect") return response
  if ((await checkSession()) !== "same") return response
  body.set("csrfmiddlewaretoken", csrfToken())
  return await post(address, body)
}

function post(address, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() }
  const signal = AbortSignal.timeout(MAX_WAIT_MS)
  return fetch(address, { method: "POST", body, headers, redirect: "manual", signal })
}

function handOver() {
  drafts.clear()
  for (const form of document.forms) form.reset()
  for (const field of document.querySelectorAll("textarea")) field.value = ""
  location.reload()
  return "other"
}

function storage() {
  try {
    return localStorage
  } catch {
    return { getItem: () => null, setItem() {}, removeItem() {}, key: () => null, length: 0 }
  }
}
