// SPDX-License-Identifier: Apache-2.0
// What was heard from a start to its end: input, and of each network the output and what each frame told.
import { HOP } from "./framing.js";

export const LONGEST = 37500; // frames: ten minutes

export class Take {
  // `length`: samples of the source; null of a microphone, which ends with its last whole hop.
  constructor(number, chosen, length) {
    Object.assign(this, { number, chosen, length, inputs: [], frames: 0 });
    this.outputs = chosen.map(() => []);
    this.rows = chosen.map(() => []);
  }

  add({ input, outputs, rows, beyond }) {
    outputs.forEach((pcm, place) => this.outputs[place].push(pcm));
    if (beyond) return;
    this.frames++;
    this.inputs.push(input);
    rows.forEach((row, place) => this.rows[place].push(row));
  }

  get samples() {
    return Math.min(this.length ?? Infinity, this.frames * HOP);
  }

  // int16, as long as what was heard.
  noisy() {
    return joined(this.inputs).slice(0, this.samples);
  }

  // Without the delay of one hop; null of a network that did not run.
  enhanced(network) {
    const place = this.chosen.indexOf(network);
    return place < 0 ? null : joined(this.outputs[place]).slice(HOP, HOP + this.samples);
  }

  rowsOf(network) {
    return this.rows[this.chosen.indexOf(network)] ?? [];
  }
}

function joined(hops) {
  const all = new Int16Array(hops.length * HOP);
  hops.forEach((hop, n) => all.set(hop, n * HOP));
  return all;
}
