// SPDX-License-Identifier: Apache-2.0
// The audio graph: a source, the worklet, the loudspeaker. It is made when somebody first plays, as browsers want it.
import { RATE } from "./framing.js";
import { LONGEST, Take } from "./take.js";

export class Player {
  // `on`: what to call: beat(take, beat), end(take), clock(report).
  constructor(networks, settings, on) {
    Object.assign(this, { networks, settings, on, network: 0, noisy: true, matched: false, volume: 1, take: null, count: 0 });
  }

  // Whether anything sounds: browsers let no page play before somebody clicked or typed in it.
  async open() {
    if (!this.opening) this.opening = this.make();
    await this.opening;
    await Promise.race([this.context.resume(), new Promise((resolve) => setTimeout(resolve, 500))]);
    return this.context.state === "running";
  }

  async make() {
    this.context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
    const text = document.getElementById("worklet").textContent;
    // Not a Blob's address: pages from file:// have an origin of their own, to which Chromium lets no worklet belong.
    await this.context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(text)}`);
    this.node = new AudioWorkletNode(this.context, "enhancer", {
      outputChannelCount: [1],
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { networks: this.networks, settings: this.settings },
    });
    this.node.port.onmessage = ({ data: [name, value] }) => this[name](value);
    this.node.onprocessorerror = () => this.on.fault("the audio thread stopped: reload the page");
    this.loudness = this.context.createGain();
    this.loudness.gain.value = this.volume;
    this.node.connect(this.loudness).connect(this.context.destination);
    this.ask("hear", this.network, this.noisy);
    this.ask("match", this.matched);
  }

  // `source`: int16 samples, or null for the microphone; `chosen`: numbers of networks.
  async start(source, chosen) {
    if (!(await this.open())) throw new Error("the browser waits for a click: press Play");
    this.close();
    if (source === null) {
      const plain = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      this.microphone = await navigator.mediaDevices.getUserMedia({ audio: plain });
      this.input = this.context.createMediaStreamSource(this.microphone);
      this.input.connect(this.node);
    }
    this.take = new Take(++this.count, chosen, source === null ? null : source.length);
    this.ask("start", this.take.number, source, chosen);
  }

  stop() {
    this.ask("stop");
  }

  // Lets go of the microphone.
  close() {
    this.input?.disconnect();
    this.microphone?.getTracks().forEach((track) => track.stop());
    this.input = this.microphone = null;
  }

  // The output of a network, or the noisy input beside it.
  hear(network, noisy) {
    Object.assign(this, { network, noisy });
    this.ask("hear", network, noisy);
  }

  match(wanted) {
    this.matched = wanted;
    this.ask("match", wanted);
  }

  set(settings) {
    this.settings = settings;
    this.ask("set", settings);
  }

  turn(volume) {
    this.volume = volume;
    this.loudness?.gain.setTargetAtTime(volume, this.context.currentTime, 0.02);
  }

  ask(...message) {
    this.node?.port.postMessage(message);
  }

  beat(beat) {
    if (beat.number !== this.take.number) return;
    this.take.add(beat);
    this.on.beat(this.take, beat);
    if (this.take.beats === LONGEST) this.stop();
  }

  end({ number }) {
    if (number !== this.take.number) return;
    this.close();
    this.on.end(this.take);
  }

  clock(report) {
    this.on.clock(report);
  }
}
