/** What the server told this page: who is here, where the socket is, the cursor, and texts in the person's language. */

export const config = JSON.parse(document.getElementById("live-config").textContent)

/** Returns the token that Django wants with every change. */
export function csrfToken() {
  return document.querySelector("meta[name=csrf-token]").content
}

/** Loads the page anew, at most once in ten seconds; drafts are kept by the composer. */
export function renew() {
  const wait = Math.max(0, Number(sessionStorage.getItem("renewed-at")) + 10_000 - Date.now())
  setTimeout(() => {
    sessionStorage.setItem("renewed-at", String(Date.now()))
    location.reload()
  }, wait)
}
