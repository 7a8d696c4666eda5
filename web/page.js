// SPDX-License-Identifier: BSD-2-Clause
// The page: starts the guest, shows what it says and counts, pings it, and gives it commands.

import { ADDRESS, Guest } from "./guest.js";
import { View } from "./view.js";

const SAMPLE_MS = 250;
const MISSED = 4;       // samples, then the guest is not well
const PINGS = 10;
const PING_MS = 200;    // from one to the next
const BURSTS = 5;
const BURST_MS = 300;   // from one to the next
const BURST_FRAMES = 200;
const BURST_BYTES = 256;
const NAMES = { virtio: "virtio-net", ne2k: "NE2000" };

const byId = id => document.getElementById(id);
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

const view = new View(byId("view"));
const buttons = [byId("ping"), byId("burst")];
let guest;

function say(state) {
    if (byId("state").textContent !== state) { // lest it be read out again
        byId("state").textContent = state;
    }
}

function allow(allowed) {
    buttons.forEach(button => {
        button.disabled = !allowed;
    });
}

// Appends to a log, which stays at its end unless the reader has scrolled up.
function append(log, content) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 32;
    log.append(content);
    if (atEnd) {
        log.scrollTop = log.scrollHeight;
    }
}

function answer(text) {
    const item = document.createElement("li");
    item.textContent = text;
    append(byId("answers"), item);
}

async function ping(target) {
    const times = [];
    for (let sequence = 1; sequence <= PINGS && target === guest; sequence++) {
        const time = await target.ping();
        if (time === null) {
            answer(`ping ${sequence}: no answer`);
        } else {
            times.push(time);
            answer(`ping ${sequence}: ${time.toFixed(2)} ms`);
        }
        await pause(PING_MS);
    }
    times.sort((a, b) => a - b);
    if (target === guest && times.length > 0) {
        answer(`${times.length} of ${PINGS} answered, median ${times[times.length >> 1].toFixed(2)} ms`);
    }
}

async function burst(target) {
    for (let count = 1; count <= BURSTS && target === guest; count++) {
        const arrived = await target.burst(BURST_FRAMES, BURST_BYTES);
        answer(`burst ${count}: ${arrived} of ${BURST_FRAMES} arrived`);
        await pause(BURST_MS);
    }
}

function onClick(button, work) {
    button.addEventListener("click", async () => {
        const target = guest;
        allow(false);
        try {
            await work(target);
        } catch (error) {
            answer(error.message);
        }
        if (target === guest) {
            allow(true);
        }
    });
}

// Asks the guest for its figures until another one takes its place.
async function watch(target, name) {
    let ready = false;
    let missed = 0;
    while (target === guest) {
        const stats = await target.stats();
        if (target !== guest) {
            break;
        }
        missed = stats ? 0 : missed + 1;
        if (stats) {
            view.add(stats);
            say(`${name} at ${ADDRESS.join(".")}`);
        } else if (ready && missed >= MISSED) {
            say("the guest does not answer");
        }
        if (stats && !ready) {
            ready = true;
            allow(true);
        }
        await pause(SAMPLE_MS);
    }
}

async function start() {
    const card = document.querySelector("input[name=card]:checked").value;
    const last = guest;
    guest = undefined;
    allow(false);
    say("starting");
    byId("console").textContent = "";
    byId("answers").textContent = "";
    await last?.stop();
    guest = new Guest(card, text => append(byId("console"), text.replaceAll("\r", "")));
    watch(guest, NAMES[card]);
}

onClick(byId("ping"), ping);
onClick(byId("burst"), burst);
byId("command").addEventListener("submit", event => {
    event.preventDefault();
    guest?.type(`${byId("line").value}\r`);
    byId("line").value = "";
});

let started = start();
function restart() {
    started = started.then(start);
}
byId("restart").addEventListener("click", restart);
document.querySelectorAll("input[name=card]").forEach(input => input.addEventListener("change", restart));
