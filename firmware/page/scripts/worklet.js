// SPDX-License-Identifier: Apache-2.0
// The audio thread: beats of 256 samples go through every network that is chosen, one of the signals is heard.
import { BEAT } from "./framing.js";
import { Network } from "./network.js";

const FADE = 1 / 160; // a sample: 10 ms at 16 kHz from one signal to another
const DRIFT = 1 / 2000; // of a loudness, a sample
const AVERAGE = 1 / 125; // of a power, a beat: two seconds
const FURTHEST = 10 ** (-15 / 20); // loudness is matched by 15 dB at most
const REPORT = 31; // beats from one report of the clock to the next: half a second

// The clock that audio threads have: milliseconds, whole ones in some browsers, so that only sums of many tell.
const now = () => (globalThis.performance ?? Date).now();

class Enhancer extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.networks = processorOptions.networks.map((each) => new Network(each.bytes, each));
    this.settings = processorOptions.settings;
    this.network = 0; // whose output is heard
    this.noisy = true; // or the input beside it
    this.matched = false;
    this.take = null;
    this.port.onmessage = ({ data: [name, ...values] }) => this[name](...values);
  }

  // What the page may ask for.

  // `source`: int16 samples, or null for the microphone; `chosen`: the networks that run.
  start(number, source, chosen) {
    const signals = 1 + this.networks.length; // the input is signal 0, network n is signal n + 1
    this.take = {
      number,
      source,
      chosen,
      at: 0,
      beats: 0,
      fill: 0,
      next: new Int16Array(BEAT),
      last: new Int16Array(BEAT),
      played: Array.from({ length: signals }, () => new Int16Array(BEAT)),
      shares: Array.from({ length: signals }, (_, n) => Number(n === this.heard)),
      powers: new Float64Array(signals),
      loudness: new Float64Array(signals).fill(1),
      level: 0, // of the whole, faded in and out
      ended: false, // all of a file went through
      ending: false, // fading out
      busy: 0,
      worst: 0,
      reported: 0,
      begun: now(),
      at_frame: currentFrame,
    };
    for (const n of chosen) this.networks[n].reset();
    this.set(this.settings);
  }

  stop() {
    if (this.take) this.take.ending = true;
  }

  hear(network, noisy) {
    this.network = network;
    this.noisy = noisy;
  }

  // Number of the signal.
  get heard() {
    return this.noisy ? 0 : this.network + 1;
  }

  match(wanted) {
    this.matched = wanted;
  }

  set(settings) {
    this.settings = settings;
    for (const n of this.take?.chosen ?? []) this.networks[n].set(settings);
  }

  process(inputs, outputs) {
    const microphone = inputs[0][0];
    const out = outputs[0][0];
    for (let i = 0; i < out.length && this.take; i++) out[i] = this.sample(microphone ? microphone[i] : 0);
    return true;
  }

  // Takes one sample and gives one.
  sample(heard) {
    const take = this.take;
    const { source } = take;
    take.next[take.fill] = source ? (source[take.at] ?? 0) : Math.max(-32768, Math.min(32767, Math.round(heard * 32768)));
    take.at++;
    const sounds = this.mix(take);
    if (++take.fill === BEAT) this.beat(take);
    take.level = Math.max(0, Math.min(1, take.level + (take.ending ? -FADE : FADE)));
    if (take.ending && take.level === 0) this.end(take);
    return sounds;
  }

  mix(take) {
    let sum = 0;
    for (let n = 0; n < take.played.length; n++) {
      const wanted = n === this.heard ? 1 : 0;
      const share = take.shares[n];
      if (share !== wanted) take.shares[n] = wanted > share ? Math.min(1, share + FADE) : Math.max(0, share - FADE);
      if (take.shares[n] > 0) sum += take.shares[n] * take.loudness[n] * take.played[n][take.fill];
      take.loudness[n] += DRIFT * (this.wanted(take, n) - take.loudness[n]);
    }
    return (take.level * sum) / 32768;
  }

  // The louder of input and heard network is turned down, never the other up.
  wanted(take, n) {
    const quietest = Math.min(take.powers[0], take.powers[this.network + 1]);
    if (!this.matched || !(take.powers[n] > 0)) return 1;
    return Math.max(FURTHEST, Math.min(1, Math.sqrt(quietest / take.powers[n])));
  }

  beat(take) {
    take.fill = 0;
    if (take.ended) {
      // What came last has sounded.
      take.ending = true;
      take.played.forEach((pcm) => pcm.fill(0));
      return;
    }
    const from = now();
    const { chosen, next, last } = take;
    const outputs = chosen.map((n) => {
      const pcm = next.slice();
      this.networks[n].align(pcm);
      return pcm;
    });
    // Outputs lag by one beat, and so does the input beside them.
    take.played[0].set(last);
    chosen.forEach((n, place) => take.played[n + 1].set(outputs[place]));
    this.weigh(take);
    const masks = chosen.map((n) => this.networks[n].masks.slice());
    const rows = chosen.map((n) => this.networks[n].rows.slice());
    const took = now() - from;
    take.busy += took;
    take.worst = Math.max(take.worst, took);
    take.beats++;
    // The beat after the last one of a file brings the end of the output, and is no beat of the file.
    take.ended = take.source !== null && (take.beats - 1) * BEAT >= take.source.length;
    this.post("beat", { number: take.number, input: next.slice(), outputs, masks, rows, beyond: take.ended });
    last.set(next);
    if (take.beats - take.reported >= REPORT) this.report(take);
  }

  // Mean powers of the beats in which the input is not far below its own mean.
  weigh({ played, powers }) {
    const now_ = played.map((pcm) => pcm.reduce((sum, x) => sum + x * x, 0) / BEAT);
    if (now_[0] < powers[0] / 10) return;
    now_.forEach((power, n) => (powers[n] += (powers[n] > 0 ? AVERAGE : 1) * (power - powers[n])));
  }

  report(take) {
    take.reported = take.beats;
    const audio = ((currentFrame - take.at_frame) / sampleRate) * 1000;
    this.post("clock", { beats: take.beats, busy: take.busy, worst: take.worst, behind: now() - take.begun - audio });
  }

  // A take that was stopped still lacks the end of its output, which silence brings.
  end(take) {
    this.take = null;
    if (!take.ended) {
      const outputs = take.chosen.map((n) => {
        const pcm = new Int16Array(BEAT);
        this.networks[n].align(pcm);
        return pcm;
      });
      this.post("beat", { number: take.number, input: new Int16Array(BEAT), outputs, masks: [], rows: [], beyond: true });
    }
    this.report(take);
    this.post("end", { number: take.number });
  }

  post(name, value) {
    this.port.postMessage([name, value]);
  }
}

registerProcessor("enhancer", Enhancer);
