/** Sends forms with data-live-form without leaving the page; a failure keeps what was typed. */

import { refreshKey } from "../lib/forms/form-key.js"
import { hasOption } from "../lib/forms/property-form.js"
import { rememberSubmitter } from "../lib/forms/submitter.js"
import { config } from "../lib/page-config.js"
import { postForm } from "../lib/session.js"
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
  const form = event.target.closest("form[data-live-form]")
  if (!form) return
  if (event.target.closest("[data-discard]")) discard(form)
  // Without a page that knows their value, the link reloads it.
  if (event.target.closest("[data-keep]") && acceptTheirs(form)) event.preventDefault()
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
  rememberSubmitter(form, submitter)
  const body = new FormData(form, submitter)
  showErrors(form, {})
  try {
    const answer = await check(await postForm(form.action, body))
    endConflict(form)
    endUnsaved(form)
    refreshKey(form)
    notify(form, "sent", { body, answer })
    live.expectEvent(moment)
  } catch (problem) {
    const offline = form.matches("[data-autosubmit]") ? config.texts.not_saved : config.texts.offline
    showErrors(form, problem.errors ?? { __all__: [problem.text ?? offline] })
    if (problem.key) form.elements.key.value = problem.key
    const isUnanswered = !problem.errors && !problem.text
    notify(form, "failed", { copies: {}, ...problem, isUnanswered })
    if (problem.current) startConflict(form, problem)
    else if (form.matches("[data-autosubmit]")) keepUnsaved(form)
  } finally {
    form.ariaBusy = "false"
    notify(form, "settled")
    if (sendAgain.delete(form)) form.requestSubmit()
  }
}

/**
 * Dispatches "live-form:sent" {body, answer}, "live-form:settled", "live-form:discarded" or "live-form:failed" {copies, unseen,
 * seen, isUnanswered} on the form. isUnanswered: the server could not be reached, or failed.
 */
function notify(form, name, detail = {}) {
  form.dispatchEvent(new CustomEvent(`live-form:${name}`, { bubbles: true, detail }))
}

/** Returns the answer if it has content. Throws {errors} of the fields or {text} where the server did not accept. */
async function check(response) {
  if (response.ok) return response.status === 201 ? await response.json() : null
  if ([409, 422, 429].includes(response.status)) throw await response.json()
  // A redirect leads to the sign-in page.
  if (response.type === "opaqueredirect") throw { text: config.texts.signed_out }
  throw { text: response.status >= 500 ? undefined : config.texts.refused }
}

/** Offers both values after someone else's change; live updates skip the form until the user takes one. */
function startConflict(form, { current, version }) {
  form.elements.version.value = version
  form.dataset.conflicted = JSON.stringify(current)
  endUnsaved(form)
  showButtons(form, "[data-conflict]", true)
}

/** Takes the other user's value; returns false if the form cannot show it. */
function acceptTheirs(form) {
  const values = Object.entries(JSON.parse(form.dataset.conflicted ?? "{}"))
  const isShowable = ([name, value]) => !form.elements[name].options || hasOption(form.elements[name], value)
  if (values.length === 0 || !values.every(isShowable)) return false
  for (const [name, value] of values) form.elements[name].value = value
  showErrors(form, {})
  endConflict(form)
  return true
}

function endConflict(form) {
  delete form.dataset.conflicted
  showButtons(form, "[data-conflict]", false)
}

/** Keeps a choice that could not be saved, with a retry, until the user gives it up; live updates skip the form. */
function keepUnsaved(form) {
  form.dataset.unsaved = ""
  showButtons(form, "[data-retry]", true)
}

function discard(form) {
  showErrors(form, {})
  endUnsaved(form)
  notify(form, "discarded")
  form.querySelector("select, input:not([type=hidden])").focus()
}

function endUnsaved(form) {
  delete form.dataset.unsaved
  showButtons(form, "[data-retry]", false)
}

function showButtons(form, selector, isShown) {
  const buttons = form.querySelector(selector)
  if (buttons) buttons.hidden = !isShown
}

function showErrors(form, errors) {
  for (const place of form.querySelectorAll("[data-error-for]")) {
    const messages = errors[place.dataset.errorFor] ?? []
    place.textContent = messages.join(" ")
    place.hidden = messages.length === 0
    form.elements[place.dataset.errorFor]?.setAttribute?.("aria-invalid", String(messages.length > 0))
  }
}
