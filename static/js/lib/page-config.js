/** The page's configuration from the server: user, socket address, history cursor, texts in the user's language. */

const RELOAD_INTERVAL_MS = 10_000

export const config = JSON.parse(document.getElementById("live-config").textContent)

/** Returns Django's CSRF token. */
export function csrfToken() {
  return document.querySelector("meta[name=csrf-token]").content
}

/** Reloads the page, at most once in ten seconds; the composer keeps drafts. */
export function reloadPage() {
  const wait = Math.max(0, Number(sessionStorage.getItem("reloaded-at")) + RELOAD_INTERVAL_MS - Date.now())
  setTimeout(() => {
    sessionStorage.setItem("reloaded-at", String(Date.now()))
    location.reload()
  }, wait)
}
