/** Forms with data-live-form are sent without leaving the page; what is typed is lost by no failure. */

import { config, csrfToken } from "../lib/page-config.js"
import { live } from "../live/index.js"

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-live-form]")) return
  event.preventDefault()
  send(event.target, event.submitter)
})

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]")
  // Whoever chooses anew in a conflict presses the button that says so.
  if (form && !form.hasAttribute("data-conflicted")) form.requestSubmit()
})

document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-keep]")?.closest("form[data-conflicted]")
  if (!form) return
  event.preventDefault()
  settle(form)
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
    endConflict(form)
    renewKey(form)
    form.dispatchEvent(new CustomEvent("live-form:sent", { bubbles: true, detail: { body } }))
    live.expect(moment)
  } catch (problem) {
    const offline = form.matches("[data-autosubmit]") ? config.texts.not_saved : config.texts.offline
    showErrors(form, problem.errors ?? { __all__: [problem.text ?? offline] })
    if (problem.current) beginConflict(form, problem)
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
  if ([409, 422, 429].includes(response.status)) throw await response.json()
  // A redirect leads to the sign-in page.
  if (response.type === "opaqueredirect") throw { text: config.texts.signed_out }
  throw { text: response.status >= 500 ? undefined : config.texts.refused }
}

/** Somebody else changed it first: both values are offered, and live updates leave the form alone until one is taken. */
function beginConflict(form, { current, version }) {
  form.elements.version.value = version
  form.dataset.conflicted = JSON.stringify(current)
  showChoice(form, true)
}

/** Takes over what the other one set. */
function settle(form) {
  for (const [name, value] of Object.entries(JSON.parse(form.dataset.conflicted))) {
    form.elements[name].value = value
  }
  showErrors(form, {})
  endConflict(form)
}

function endConflict(form) {
  delete form.dataset.conflicted
  showChoice(form, false)
}

function showChoice(form, isShown) {
  const choice = form.querySelector("[data-conflict]")
  if (choice) choice.hidden = !isShown
}

/** What is sent next is something else; until it arrived, the same key tells the server that it is the same. */
function renewKey(form) {
  if (form.elements.key) form.elements.key.value = newKey()
}

/** A random UUID (RFC 9562, version 4); crypto.randomUUID is missing on pages without TLS. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}

function showErrors(form, errors) {
  for (const place of form.querySelectorAll("[data-error-for]")) {
    const messages = errors[place.dataset.errorFor] ?? []
    place.textContent = messages.join(" ")
    place.hidden = messages.length === 0
    form.elements[place.dataset.errorFor]?.setAttribute?.("aria-invalid", String(messages.length > 0))
  }
}
