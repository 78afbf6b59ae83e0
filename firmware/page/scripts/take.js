// SPDX-License-Identifier: Apache-2.0
// What was heard from a start to its end: input, and of each network the output and what the frames of each beat told.
import { BEAT } from "./framing.js";

export const LONGEST = 37500; // beats: ten minutes

export class Take {
  // `length`: samples of the source; null of a microphone, which ends with its last whole beat.
  constructor(number, chosen, length) {
    Object.assign(this, { number, chosen, length, inputs: [], beats: 0 });
    this.outputs = chosen.map(() => []);
    this.rows = chosen.map(() => []);
  }

  add({ input, outputs, rows, beyond }) {
    outputs.forEach((pcm, place) => this.outputs[place].push(pcm));
    if (beyond) return;
    this.beats++;
    this.inputs.push(input);
    rows.forEach((told, place) => this.rows[place].push(told));
  }

  get samples() {
    return Math.min(this.length ?? Infinity, this.beats * BEAT);
  }

  // int16, as long as what was heard.
  noisy() {
    return joined(this.inputs).slice(0, this.samples);
  }

  // Without the delay of one beat; null of a network that did not run.
  enhanced(network) {
    const place = this.chosen.indexOf(network);
    return place < 0 ? null : joined(this.outputs[place]).slice(BEAT, BEAT + this.samples);
  }

  // Of the frames that hold samples of what was heard; `hop`, `columns`: the network's.
  rowsOf(network, { hop, columns: { length } }) {
    const told = this.rows[this.chosen.indexOf(network)] ?? [];
    const rows = told.flatMap((beat) => rowsIn(beat, length));
    return rows.slice(0, Math.ceil(this.samples / hop));
  }
}

function rowsIn(beat, length) {
  return Array.from({ length: beat.length / length }, (_, n) => beat.subarray(n * length, (n + 1) * length));
}

function joined(beats) {
  const all = new Int16Array(beats.length * BEAT);
  beats.forEach((beat, n) => all.set(beat, n * BEAT));
  return all;
}
