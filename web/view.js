// SPDX-License-Identifier: BSD-2-Clause
// What the guest counts, as charts over the last half minute and as a table. The guest's own page shows the same.

const SECONDS = 30; // that a chart shows
const WIDTH = 600;  // of a chart, in its own units
const HEIGHT = 160;
const NS = 1e9;
const KIB = 1024;

const number = value => Math.round(value).toLocaleString("en");
const kib = bytes => `${number(bytes / KIB)} KiB`;

function element(name, attributes, ...children) {
    const svg = ["svg", "polyline", "line"].includes(name);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name)
                     : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
}

// The least of 1, 2, 3 or 5 times a power of ten that is not below the value.
function roundUp(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 3, 5, 10].map(digit => digit * power).find(round => round >= value);
}

class Chart {
    #title;
    #series;
    #svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
                            role: "img" });
    #most = element("span", { class: "most" });

    // series: { name, value(sample) }; the second one's line is dashed.
    constructor(root, title, series) {
        this.#title = title;
        this.#series = series.map(({ name, value }, index) => ({
            name, value,
            line: element("polyline", { class: `line${index}` }),
            now: element("output", {}),
        }));
        for (const part of [1, 2, 3]) {
            const y = HEIGHT * part / 4;
            this.#svg.append(element("line", { x1: 0, x2: WIDTH, y1: y, y2: y, class: "grid" }));
        }
        this.#svg.append(...this.#series.map(({ line }) => line));
        root.append(element("figure", {},
            element("figcaption", {}, element("strong", {}, title), ...this.#series.map(
                ({ name, now }, index) => element("span", { class: `key line${index}` },
                                                  `${name} `, now))),
            element("div", { class: "plot" }, this.#svg, this.#most),
            element("div", { class: "axis" }, element("span", {}, `${SECONDS} s ago`),
                    element("span", {}, "now"))));
    }

    draw(samples) {
        const newest = samples.at(-1);
        const most = roundUp(Math.max(10, ...this.#series.flatMap(
            ({ value }) => samples.map(value))));
        for (const { value, line, now } of this.#series) {
            line.setAttribute("points", samples.map(sample => {
                const x = WIDTH * (1 + (sample.time - newest.time) / SECONDS);
                return `${x.toFixed(1)},${(HEIGHT * (1 - value(sample) / most)).toFixed(1)}`;
            }).join(" "));
            now.textContent = number(value(newest));
        }
        this.#most.textContent = number(most);
        this.#svg.setAttribute("aria-label", `${this.#title}: ` + this.#series.map(
            ({ name, now }) => `${name} ${now.textContent}`).join(", "));
    }
}

// Rows of the table, from the statistics and their first card.
const ROWS = [
    ["Card", (stats, card) => `${card.driver}, ${card.transport}, ${card.interrupt_kind}`],
    ["Address", (stats, card) => `${card.ip}, ${card.mac}`],
    ["Received", (stats, { counters: c }) => `${number(c.rx_packets)} packets, ${kib(c.rx_bytes)}`],
    ["Sent", (stats, { counters: c }) => `${number(c.tx_packets)} packets, ${kib(c.tx_bytes)}`],
    ["Interrupts", (stats, { counters: c }) => number(c.interrupts)],
    ["Notifications to the device", (stats, { counters: c }) => number(c.rx_kicks + c.tx_kicks)],
    ["Receive buffers", (stats, { counters: c }) =>
        `${c.rx_posted} posted, limit ${c.rx_limit}, at the most ${c.rx_limit_peak}`],
    ["Memory of receive buffers", (stats, { counters: c }) => kib(c.rx_held)],
    ["All memory in use", stats => `${kib(stats.memory.used)} of ${kib(stats.memory.total)}`],
    ["Passes of the loop", stats => `${number(stats.loop.passes)}, slept ${number(stats.loop.sleeps)} times`],
    ["Running for", stats => `${number(stats.clock_ns / NS)} s`],
];

export class View {
    #samples = [];
    #charts;
    #cells = ROWS.map(() => element("td", {}));

    constructor(root) {
        this.#charts = [
            new Chart(root, "Receive buffers", [
                { name: "limit", value: sample => sample.counters.rx_limit },
                { name: "posted", value: sample => sample.counters.rx_posted },
            ]),
            new Chart(root, "Packets a second", [
                { name: "received", value: sample => sample.received },
                { name: "sent", value: sample => sample.sent },
            ]),
        ];
        root.append(element("table", {}, element("caption", {}, "Counters"),
            element("tbody", {}, ...ROWS.map(([name], index) => element("tr", {},
                element("th", { scope: "row" }, name), this.#cells[index])))));
    }

    // stats: the guest's JSON, a later one each time. A clock that went back is a guest started anew.
    add(stats) {
        const card = stats.cards[0];
        const time = stats.clock_ns / NS;
        let last = this.#samples.at(-1);
        if (last && time <= last.time) {
            this.#samples = [];
            last = undefined;
        }
        const rate = name => last ? (card.counters[name] - last.counters[name]) / (time - last.time) : 0;
        this.#samples.push({ time, counters: card.counters,
                             received: rate("rx_packets"), sent: rate("tx_packets") });
        this.#samples = this.#samples.filter(sample => sample.time >= time - SECONDS);
        this.#charts.forEach(chart => chart.draw(this.#samples));
        ROWS.forEach(([, text], index) => {
            this.#cells[index].textContent = text(stats, card);
        });
    }
}
