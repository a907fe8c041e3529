/** <file-size bytes>: a file size in the page's language. */

const STEPS = ["byte", "kilobyte", "megabyte", "gigabyte"]

class FileSize extends HTMLElement {
  static observedAttributes = ["bytes"]

  attributeChangedCallback() {
    const bytes = Number(this.getAttribute("bytes"))
    if (!bytes) return
    const step = Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), STEPS.length - 1)
    const options = {
      style: "unit",
      unit: STEPS[step],
      unitDisplay: step === 0 ? "long" : "short",
      maximumFractionDigits: step > 1 ? 1 : 0,
    }
    this.textContent = new Intl.NumberFormat(document.documentElement.lang, options).format(
      bytes / 1024 ** step,
    )
  }
}

customElements.define("file-size", FileSize)
