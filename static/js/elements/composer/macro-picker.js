/** <macro-picker data-address>: the macros of a ticket. Enter shows what one does, Shift+Enter applies it at once. */

import { SavedPicker } from "./saved-picker.js"

class MacroPicker extends SavedPicker {
  rows(answer) {
    return answer.macros
  }

  choose(macro, event) {
    this.close()
    this.closest("ticket-page").querySelector("macro-dialog").show(macro, { atOnce: event.shiftKey })
  }
}

customElements.define("macro-picker", MacroPicker)
