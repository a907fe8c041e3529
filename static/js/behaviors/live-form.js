/** Sends forms with data-live-form without leaving the page; a failure keeps what was typed. */

import { config, csrfToken } from "../lib/page-config.js"
import { live } from "../live/index.js"

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-live-form]")) return
  event.preventDefault()
  send(event.target, event.submitter)
})

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]")
  // In a conflict, the user confirms with the button.
  if (form && !form.hasAttribute("data-conflicted")) form.requestSubmit()
})

document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-keep]")?.closest("form[data-conflicted]")
  if (!form) return
  event.preventDefault()
  acceptTheirs(form)
})

const sendAgain = new Set()

for (const element of document.querySelectorAll("[data-nojs]")) element.hidden = true

async function send(form, submitter) {
  if (form.ariaBusy === "true") {
    // A property that changes during a request is sent sendAgain; a reply is sent once.
    if (form.matches("[data-autosubmit]")) sendAgain.add(form)
    return
  }
  form.ariaBusy = "true"
  const moment = performance.now()
  const body = new FormData(form, submitter)
  showErrors(form, {})
  try {
    await check(await post(form.action, body))
    endConflict(form)
    refreshKey(form)
    form.dispatchEvent(new CustomEvent("live-form:sent", { bubbles: true, detail: { body } }))
    live.expectEvent(moment)
  } catch (problem) {
    const offline = form.matches("[data-autosubmit]") ? config.texts.not_saved : config.texts.offline
    showErrors(form, problem.errors ?? { __all__: [problem.text ?? offline] })
    if (problem.current) startConflict(form, problem)
  } finally {
    form.ariaBusy = "false"
    if (sendAgain.delete(form)) form.requestSubmit()
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

/** Offers both values after someone else's change; live updates skip the form until the user takes one. */
function startConflict(form, { current, version }) {
  form.elements.version.value = version
  form.dataset.conflicted = JSON.stringify(current)
  showChoice(form, true)
}

/** Takes the other user's value. */
function acceptTheirs(form) {
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

/** Sets a new idempotency key: only a retry repeats the old one. */
function refreshKey(form) {
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
