// SPDX-License-Identifier: Apache-2.0
// Whether this browser computes what the cores compute: the library's own self-test, and a hash over known audio.
import { BEAT } from "./framing.js";
import { Network } from "./network.js";

// sha256 over the words of all beats: output, masks, then the rows. `turn` lets the page breathe in between.
export async function hashOf(bytes, network, pcm, turn) {
  const library = new Network(bytes, network);
  if (library.selftest() !== 0) return { passed: false, hash: "" };
  library.reset();
  const { beats } = network.known;
  const size = 2 * BEAT + 4 * library.masks.length + 4 * library.rows.length;
  const words = new Uint8Array(beats * size);
  for (let n = 0; n < beats; n++) {
    const beat = pcm.slice(n * BEAT, (n + 1) * BEAT);
    library.process(beat);
    let place = n * size;
    for (const part of [beat, library.masks, library.rows]) {
      words.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), place);
      place += part.byteLength;
    }
    if (n % 32 === 31) await turn();
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", words));
  const hash = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { passed: hash === network.known.hash, hash };
}
