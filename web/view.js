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

// Rows of the table of a card, and of that of the guest.
const CARD_ROWS = [
    ["Card", card => `${card.driver}, ${card.transport}, ${card.interrupt_kind}`],
    ["Address", card => `${card.ip}, ${card.mac}`],
    ["Received", ({ counters: c }) => `${number(c.rx_packets)} packets, ${kib(c.rx_bytes)}`],
    ["Sent", ({ counters: c }) => `${number(c.tx_packets)} packets, ${kib(c.tx_bytes)}`],
    ["Interrupts", ({ counters: c }) => number(c.interrupts)],
    ["Notifications to the device", ({ counters: c }) => number(c.rx_kicks + c.tx_kicks)],
    ["Receive buffers", ({ counters: c }) =>
        `${c.rx_posted} posted, limit ${c.rx_limit}, at the most ${c.rx_limit_peak}`],
    ["Memory of receive buffers", ({ counters: c }) => kib(c.rx_held)],
];
const GUEST_ROWS = [
    ["All memory in use", ({ memory }) => `${kib(memory.used)} of ${kib(memory.total)}`],
    ["Passes of the loop", ({ loop }) => `${number(loop.passes)}, slept ${number(loop.sleeps)} times`],
    ["Running for", ({ clock_ns }) => `${number(clock_ns / NS)} s`],
];

class Table {
    #rows;
    #cells;

    constructor(root, title, rows) {
        this.#rows = rows;
        this.#cells = rows.map(() => element("td", {}));
        root.append(element("table", {}, element("caption", {}, title),
            element("tbody", {}, ...rows.map(([name], index) => element("tr", {},
                element("th", { scope: "row" }, name), this.#cells[index])))));
    }

    show(values) {
        this.#rows.forEach(([, text], index) => {
            this.#cells[index].textContent = text(values);
        });
    }
}

// The charts and the table of one card.
class CardView {
    #samples = [];
    #charts;
    #table;

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
        this.#table = new Table(root, "Counters", CARD_ROWS);
    }

    // A clock that went back is a guest started anew.
    add(card, time) {
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
        this.#table.show(card);
    }
}

// The cards, the first of which is there before any figures are, and the guest.
export class View {
    #cards = [];
    #guest = element("section", { class: "columns" });
    #table = new Table(this.#guest, "Guest", GUEST_ROWS);

    constructor(root) {
        root.append(this.#guest);
        this.#addCard();
    }

    #addCard() {
        const title = element("h2", { hidden: "" }, `Card ${this.#cards.length}`);
        const section = element("section", { class: "columns" }, title);
        this.#guest.before(section);
        this.#cards.push({ title, view: new CardView(section) });
    }

    // stats: the guest's JSON, a later one each time.
    add(stats) {
        while (this.#cards.length < stats.cards.length) {
            this.#addCard();
        }
        stats.cards.forEach((card, index) => {
            this.#cards[index].title.hidden = stats.cards.length === 1;
            this.#cards[index].view.add(card, stats.clock_ns / NS);
        });
        this.#table.show(stats);
    }
}
