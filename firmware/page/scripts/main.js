// SPDX-License-Identifier: Apache-2.0
// The page: what its controls do, what is drawn, what is told.
import { BEAT, RATE } from "./framing.js";
import { Player } from "./player.js";
import { Card } from "./card.js";
import { Spectrogram } from "./raster.js";
import { Spectrum } from "./spectrum.js";
import { csv, decoded, download, unpacked, wav } from "./files.js";
import { hashOf } from "./selftest.js";

const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const data = JSON.parse(find("#page-data").textContent);
for (const network of data.networks) network.bytes = unpacked(network.bytes);
for (const sample of data.samples) sample.pcm = new Int16Array(unpacked(sample.pcm).buffer);

const NO_LIMIT = 97;
const settings = { limit: NO_LIMIT, strength: 100, bypass: false };
const player = new Player(data.networks, settings, { beat, end, clock, fault: say });
const cards = data.networks.map((network, n) => new Card(find(`[data-network="${n}"]`), network));
const bytes = unpacked(data.colours);
const palette = Array.from({ length: 256 }, (_, n) => [...bytes.subarray(3 * n, 3 * n + 3)]);
const spectrograms = ["noisy", "enhanced"].map((name) => new Spectrogram(find(`#${name}`), palette));
let source = null; // what plays next: { title, pcm }; null is the microphone
let playing = false;
let spectra, before, shown;

// ---- Colours of the style sheet, light or dark ----

let colours;
function recolour() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  const parts = (name) => [1, 3, 5].map((at) => parseInt(read(name).slice(at, at + 2), 16));
  colours = {
    ink: read("--blue"),
    skipped: parts("--skipped"),
    active: parts("--active"),
    between: parts("--paper"),
    hues: Array.from({ length: 8 }, (_, n) => read(`--hue-${n}`)),
  };
  for (const card of cards) card.paint(colours);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
recolour();

// ---- What is chosen ----

const chosen = () => all("[name=run]").flatMap((box, n) => (box.checked ? [n] : []));
const favourite = () => all("[name=favourite]").findIndex((radio) => radio.checked);
const mode = () => find("[name=mode]:checked").value;

// After any change of the choice: of what is heard, and of what is shown.
function choose() {
  const running = chosen();
  if (!running.includes(favourite())) all("[name=favourite]")[running[0]].checked = true;
  cards.forEach((card, n) => {
    card.element.hidden = !running.includes(n);
    card.element.classList.toggle("heard", n === favourite() && mode() !== "noisy");
  });
  for (const box of all("[name=run]")) box.disabled = box.checked && running.length === 1;
  find("#enhanced-name").textContent = data.networks[favourite()].name;
  settings.bypass = mode() === "bypass";
  player.set({ ...settings });
  player.hear(favourite(), mode() === "noisy");
  describe();
}

for (const input of all("[name=mode], [name=favourite]")) input.addEventListener("change", choose);
for (const box of all("[name=run]")) {
  box.addEventListener("change", () => {
    choose();
    if (playing) play(); // all networks hear the same from the start
  });
}

function slider(id, told, act) {
  const input = find(`#${id}`);
  const change = () => {
    const text = told(Number(input.value));
    input.setAttribute("aria-valuetext", text);
    find(`#${id}-told`).textContent = text;
    act(Number(input.value));
  };
  input.addEventListener("input", change);
  change();
}
slider("limit", (db) => (db === NO_LIMIT ? "none" : `${db} dB`), (db) => player.set({ ...Object.assign(settings, { limit: db }) }));
slider("strength", (percent) => `${percent} %`, (percent) => player.set({ ...Object.assign(settings, { strength: percent }) }));
slider("volume", (percent) => `${percent} %`, (percent) => player.turn(percent / 100));
find("#match").addEventListener("change", ({ target }) => player.match(target.checked));

// ---- Sources ----

async function play(next = source) {
  source = next;
  try {
    spectra = spectrograms.map(() => new Spectrum());
    before = new Int16Array(BEAT);
    shown = 0;
    find("#audio-told").textContent = "starting";
    for (const each of [...spectrograms]) each.clear();
    for (const card of cards) card.clear();
    recolour();
    await player.start(source?.pcm ?? null, chosen());
    playing = true;
    say(source ? `Playing: ${source.title}` : "Listening to the microphone. Wear headphones, or it will howl.");
    requestAnimationFrame(draw);
  } catch (error) {
    playing = false;
    say(`It does not play yet: ${error.message}`);
  }
  describe();
}

function toggle() {
  if (playing) player.stop();
  else play();
}

async function open(file) {
  try {
    await player.open();
    const pcm = await decoded(player.context, file);
    if (pcm.length === 0) throw new Error("it holds no samples");
    await play({ title: file.name, pcm });
  } catch (error) {
    say(`${file.name} cannot be played: ${error.message}`);
  }
}

all("[data-sample]").forEach((button, n) => button.addEventListener("click", () => play(data.samples[n])));
find("#microphone").addEventListener("click", () => play(null));
find("#again").addEventListener("click", () => play({ title: "what you recorded", pcm: player.take.noisy() }));
find("#play").addEventListener("click", toggle);
find("#file").addEventListener("change", ({ target }) => {
  if (target.files.length > 0) open(target.files[0]);
  target.value = "";
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files.length > 0) open(event.dataTransfer.files[0]);
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const busy = event.target.closest?.("button, input, summary, a, label.button");
  const radio = { 1: "noisy", 2: "enhanced", 3: "bypass" }[event.key];
  if (radio) {
    find(`[name=mode][value=${radio}]`).checked = true;
    choose();
  } else if (event.key === "m") find("#match").click();
  else if (event.key === " " && !busy) toggle();
  else return;
  event.preventDefault();
});

// ---- Beats as they come ----

function beat(take, { input, outputs, masks, rows, beyond }) {
  const place = take.chosen.indexOf(favourite());
  // The output belongs to the input of the beat before.
  spectrograms[0].add(spectra[0].push(before));
  spectrograms[1].add(spectra[1].push(outputs[Math.max(0, place)]));
  before = input;
  if (!beyond) take.chosen.forEach((n, at) => cards[n].add(masks[at], rows[at]));
}

function end(take) {
  playing = false;
  say(`${(take.samples / RATE).toFixed(1)} s heard: the files of the take can be saved.`);
  describe();
}

// What is told of the audio thread twice a second.
function clock({ beats, busy, worst, behind }) {
  if (beats < 60) player.settled = behind; // how far the first buffers are ahead
  const late = Math.max(0, behind - player.settled);
  const share = (busy / (beats * 16)) * 100;
  find("#audio-told").textContent =
    `${share.toFixed(1)} % of its time, ${worst.toFixed(1)} ms for 16 ms at worst, ` +
    (late < 100 ? "never late" : `${(late / 1000).toFixed(1)} s late`);
  Object.assign(find("#audio-told").dataset, { share, late, beats });
}

// ---- Drawing ----

const cost = { frames: 0, spent: 0, since: 0 };
function draw(time) {
  const from = performance.now();
  for (const each of spectrograms) each.draw();
  for (const n of chosen()) cards[n].draw(colours);
  if (time - shown > 100) {
    shown = time;
    for (const n of chosen()) cards[n].tell();
  }
  cost.frames++;
  cost.spent += performance.now() - from;
  if (time - cost.since > 1000) {
    const rate = (1000 * cost.frames) / (time - cost.since);
    const each = cost.spent / cost.frames;
    if (rate > 1) {
      find("#drawing-told").textContent = `${each.toFixed(1)} ms a picture, ${rate.toFixed(0)} pictures a second`;
      Object.assign(find("#drawing-told").dataset, { rate, each });
    }
    Object.assign(cost, { frames: 0, spent: 0, since: time });
  }
  if (playing) requestAnimationFrame(draw);
}

// ---- What is told, what is saved ----

function say(text) {
  find("#status").textContent = text;
}

function describe() {
  const take = player.take;
  find("#play").textContent = playing ? "Stop" : "Play";
  find("#source-name").textContent = source ? source.title : "Microphone";
  find("#again").hidden = playing || !take || take.length !== null;
  for (const button of all("[data-save]")) {
    const card = button.closest("[data-network]");
    button.disabled = playing || !take || take.beats === 0 || (card && !take.chosen.includes(Number(card.dataset.network)));
  }
}

for (const button of all("[data-save]")) {
  button.addEventListener("click", () => {
    const n = Number(button.closest("[data-network]")?.dataset.network ?? -1);
    const { name } = data.networks[n] ?? {};
    const { take } = player;
    if (button.dataset.save === "noisy") download(wav(take.noisy()), "noisy.wav");
    if (button.dataset.save === "wav") download(wav(take.enhanced(n)), `enhanced-${name}.wav`);
    if (button.dataset.save === "csv") download(csv(data.networks[n], take.rowsOf(n, data.networks[n])), `signals-${name}.csv`);
  });
}

async function prove() {
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  let passed = true;
  for (const [n, network] of data.networks.entries()) {
    const result = await hashOf(network.bytes, network, data.samples[data.known].pcm, turn);
    passed &&= result.passed;
    find(`[data-proof="${n}"]`).textContent = result.passed ? `equal: ${result.hash}` : `differs: ${result.hash || "self-test failed"}`;
  }
  find("#proof").dataset.passed = passed;
  find("#proof-told").textContent = passed
    ? "This browser computes the words that the cores compute."
    : "This browser computes other words than the cores.";
}

source = data.samples[0];
choose();
prove().catch((error) => {
  find("#proof-told").textContent = `The self-test could not run: ${error.message}`;
});
