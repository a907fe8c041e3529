/** The page's configuration from the server: user, socket address, history cursor, texts in the user's language. */

const RELOAD_INTERVAL_MS = 10_000

export const config = JSON.parse(document.getElementById("live-config").textContent)

/** Returns Django's CSRF token. */
export function csrfToken() {
  return document.querySelector("meta[name=csrf-token]").content
}

/** Takes a new token, in every form too: a sign-in replaces it. */
export function setCsrfToken(token) {
  document.querySelector("meta[name=csrf-token]").content = token
  const templates = [...document.querySelectorAll("template")].map(({ content }) => content)
  for (const root of [document, ...templates]) {
    for (const field of root.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token
  }
}

/** Reloads the page, at most once in ten seconds; the composer keeps drafts. */
export function reloadPage() {
  const elapsed = Math.abs(Date.now() - Number(sessionStorage.getItem("reloaded-at"))) // the clock may have been set back
  const wait = Math.max(0, RELOAD_INTERVAL_MS - elapsed)
  setTimeout(() => {
    sessionStorage.setItem("reloaded-at", String(Date.now()))
    location.reload()
  }, wait)
}
