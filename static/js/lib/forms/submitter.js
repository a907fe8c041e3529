/** The buttons that forms were last sent with: sent again, a form does the same. */

/** @type {WeakMap<HTMLFormElement, ?HTMLElement>} */
const submitters = new WeakMap()

/** Keeps the button of a form that is being sent. */
export function rememberSubmitter(form, submitter) {
  submitters.set(form, submitter)
}

/** Sends a form with the button of the last time. */
export function submitAgain(form) {
  const submitter = submitters.get(form)
  form.requestSubmit(submitter?.form === form ? submitter : undefined)
}
