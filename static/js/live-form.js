/** Forms with data-live-form are sent without leaving the page; what is typed is lost by no failure. */

import { live } from "./live.js"
import { config, csrfToken } from "./page.js"

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-live-form]")) return
  event.preventDefault()
  send(event.target, event.submitter)
})

document.addEventListener("change", (event) => {
  event.target.closest("form[data-autosubmit]")?.requestSubmit()
})

const again = new Set()

for (const element of document.querySelectorAll("[data-nojs]")) element.hidden = true

async function send(form, submitter) {
  if (form.ariaBusy === "true") {
    // A property changed again while the first change is on its way; a reply pressed twice is one reply.
    if (form.matches("[data-autosubmit]")) again.add(form)
    return
  }
  form.ariaBusy = "true"
  const moment = performance.now()
  const body = new FormData(form, submitter)
  showErrors(form, {})
  try {
    await check(await post(form.action, body))
    form.dispatchEvent(new CustomEvent("live-form:sent", { bubbles: true, detail: { body } }))
    live.expect(moment)
  } catch (problem) {
    showErrors(form, problem.errors ?? { __all__: [problem.text ?? config.texts.offline] })
  } finally {
    form.ariaBusy = "false"
    if (again.delete(form)) form.requestSubmit()
  }
}

function post(address, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() }
  return fetch(address, { method: "POST", body, headers, redirect: "manual" })
}

/** Throws {errors} of the fields or {text} where the server did not accept. */
async function check(response) {
  if (response.ok) return
  if (response.status === 422) throw await response.json()
  throw { text: response.status >= 500 ? config.texts.offline : config.texts.refused }
}

function showErrors(form, errors) {
  for (const place of form.querySelectorAll("[data-error-for]")) {
    const messages = errors[place.dataset.errorFor] ?? []
    place.textContent = messages.join(" ")
    place.hidden = messages.length === 0
    form.elements[place.dataset.errorFor]?.setAttribute?.("aria-invalid", String(messages.length > 0))
  }
}
