// SPDX-License-Identifier: Apache-2.0
// One network: the generated C as a WebAssembly module, called frame by frame. Runs in the page and in its worklet.
import { HOP } from "./framing.js";

export class Network {
  // `bytes`: the module; `words`: packed mask words of a frame; `columns`: what its row is made of.
  constructor(bytes, { words, columns }) {
    this.c = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const memory = this.c.memory.buffer; // never grows: the library allocates nothing
    this.samples = new Int16Array(memory, this.c.samples(), HOP);
    this.masks = new Uint32Array(memory, this.c.masks(), words);
    this.row = new Int32Array(memory, this.c.row(), columns.length);
    this.reset();
  }

  reset() {
    this.check(this.c.reset());
  }

  // One frame, int16 [256], in place.
  process(pcm) {
    this.samples.set(pcm);
    this.check(this.c.process());
    pcm.set(this.samples);
  }

  // What firmware may set: dB by which noise falls at most, percent of the suppression, whether audio passes as it is.
  set({ limit, strength, bypass }) {
    this.check(this.c.set_limit(limit));
    this.check(this.c.set_strength(strength));
    this.check(this.c.set_bypass(bypass ? 1 : 0));
  }

  // 0 where tables and known audio give the words that they must.
  selftest() {
    return this.c.selftest();
  }

  check(status) {
    if (status !== 0) throw new Error(`the library answered with status ${status}`);
  }
}
