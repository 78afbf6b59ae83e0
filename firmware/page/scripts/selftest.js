// SPDX-License-Identifier: Apache-2.0
// Whether this browser computes what the cores compute: the library's own self-test, and a hash over known audio.
import { HOP } from "./framing.js";
import { Network } from "./network.js";

// sha256 over the words of all frames: output, masks, then the row. `turn` lets the page breathe in between.
export async function hashOf(bytes, network, pcm, turn) {
  const library = new Network(bytes, network);
  if (library.selftest() !== 0) return { passed: false, hash: "" };
  library.reset();
  const frames = network.known.frames;
  const size = 2 * HOP + 4 * library.masks.length + 4 * library.row.length;
  const words = new Uint8Array(frames * size);
  for (let n = 0; n < frames; n++) {
    const hop = pcm.slice(n * HOP, (n + 1) * HOP);
    library.process(hop);
    let place = n * size;
    for (const part of [hop, library.masks, library.row]) {
      words.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), place);
      place += part.byteLength;
    }
    if (n % 32 === 31) await turn();
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", words));
  const hash = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { passed: hash === network.known.hash, hash };
}
