// SPDX-License-Identifier: BSD-2-Clause
// The guest's own page: asks the guest that it came from for its figures, and shows them.

import { View } from "./view.js";

const SAMPLE_MS = 1000;
const TIMEOUT_MS = 5000;

const view = new View(document.getElementById("view"));

function say(state) {
    if (document.getElementById("state").textContent !== state) { // lest it be read out again
        document.getElementById("state").textContent = state;
    }
}

async function ask() {
    try {
        const answer = await fetch("/", { headers: { Accept: "application/json" }, cache: "no-store",
                                          signal: AbortSignal.timeout(TIMEOUT_MS) });
        return await answer.json();
    } catch {
        return null;
    }
}

async function sample() {
    const stats = await ask();
    if (stats) {
        view.add(stats);
    }
    say(stats ? "" : "It does not answer.");
    setTimeout(sample, SAMPLE_MS);
}

sample();
