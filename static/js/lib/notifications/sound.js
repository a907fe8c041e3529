/** The sound of a notification: two short tones, made by the browser. */

const TONES = [
  [660, 0],
  [880, 0.12],
]
const LENGTH = 0.18 // seconds
const VOLUME = 0.12

let context

/** Plays it; silent until the user has used the page, as browsers demand. */
export async function playSound() {
  context ??= new AudioContext()
  if (context.state === "suspended") await context.resume()
  for (const [frequency, delay] of TONES) play(frequency, context.currentTime + delay)
}

function play(frequency, start) {
  const tone = new OscillatorNode(context, { frequency })
  const volume = new GainNode(context, { gain: 0 })
  volume.gain.setValueAtTime(0, start)
  volume.gain.linearRampToValueAtTime(VOLUME, start + 0.02)
  volume.gain.exponentialRampToValueAtTime(0.001, start + LENGTH)
  tone.connect(volume).connect(context.destination)
  tone.start(start)
  tone.stop(start + LENGTH)
}
