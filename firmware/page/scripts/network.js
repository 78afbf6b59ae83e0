// SPDX-License-Identifier: Apache-2.0
// One network: the generated C as a WebAssembly module, called beat by beat. Runs in the page and in its worklet.
import { BEAT } from "./framing.js";

export class Network {
  // `bytes`: the module; `hop`, `delay`: samples of a frame, and by which its output is late; `words`: packed mask words of
  // a frame; `columns`: what its row is made of.
  constructor(bytes, { hop, delay, words, columns }) {
    this.c = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const memory = this.c.memory.buffer; // never grows: the library allocates nothing
    this.samples = new Int16Array(memory, this.c.samples(), BEAT);
    this.masks = new Uint32Array(memory, this.c.masks(), (words * BEAT) / hop);
    this.rows = new Int32Array(memory, this.c.rows(), (columns.length * BEAT) / hop);
    this.late = new Int16Array(BEAT - delay);
    this.reset();
  }

  reset() {
    this.check(this.c.reset());
    this.late.fill(0);
  }

  // One beat, int16 [256], in place.
  process(pcm) {
    this.samples.set(pcm);
    this.check(this.c.process());
    pcm.set(this.samples);
  }

  // The same, one beat late whatever the network's delay, so that all networks and the input sound at once.
  align(pcm) {
    const { late } = this;
    this.process(pcm);
    const held = late.slice();
    late.set(pcm.subarray(BEAT - late.length));
    pcm.copyWithin(late.length, 0);
    pcm.set(held);
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
