// SPDX-License-Identifier: BSD-2-Clause
// The guest in v86, with the page's station on its Ethernet.

import { V86 } from "./v86/libv86.mjs";
import { Station } from "./station.js";

const MIB = 1024 * 1024;
const SINK_PORT = 9;
const STATS_PORT = 81;
const STAT = new TextEncoder().encode("STAT0000"); // asks the sink how many datagrams it got
const TRIES = 5;

export const ADDRESS = [10, 0, 0, 2];
const PEER = { mac: [0x52, 0x54, 0, 0, 0, 1], address: [10, 0, 0, 1] };

export class Guest {
    #emulator;
    #station;

    // card: "virtio" or "ne2k", as v86 names them. onConsole(text) gets what the guest prints.
    constructor(card, onConsole) {
        const decoder = new TextDecoder();
        this.#emulator = new V86({
            wasm_path: "v86/v86.wasm",
            multiboot: { url: "vtnet-demo.elf" },
            cmdline: `ip=${ADDRESS.join(".")}/24`,
            memory_size: 16 * MIB,
            vga_memory_size: MIB,
            net_device: { type: card },
            disable_keyboard: true,
            disable_mouse: true,
            disable_speaker: true,
            autostart: true,
        });
        this.#station = new Station(PEER.mac, PEER.address,
                                    frame => this.#emulator.bus.send("net0-receive", frame));
        this.#emulator.add_listener("serial0-output-byte", byte =>
            onConsole(decoder.decode(Uint8Array.of(byte), { stream: true })));
        // The card is in the middle of sending: it gets no answer before it has finished.
        this.#emulator.add_listener("net0-send", frame => {
            const copy = frame.slice();
            queueMicrotask(() => this.#station.receive(copy));
        });
    }

    // As if typed at the console; "\r" is Enter.
    type(text) {
        this.#emulator.serial0_send(text);
    }

    ping() {
        return this.#station.ping(ADDRESS);
    }

    // Sends so many datagrams at once, and resolves with how many arrived.
    async burst(count, size) {
        const before = await this.#datagrams();
        await this.#station.burst(ADDRESS, SINK_PORT, count, size);
        return Number(await this.#datagrams() - before);
    }

    // The question finds no receive buffer where a burst has just taken them all, so it is asked again.
    async #datagrams() {
        for (let tries = 0; tries < TRIES; tries++) {
            const counters = await this.#station.ask(ADDRESS, SINK_PORT, STAT);
            if (counters) {
                return new DataView(counters.buffer, counters.byteOffset).getBigUint64(8);
            }
        }
        throw new Error("the guest does not answer");
    }

    // What the guest counts, or null while it does not answer.
    async stats() {
        const data = await this.#station.ask(ADDRESS, STATS_PORT, []);
        return data && JSON.parse(new TextDecoder().decode(data));
    }

    stop() {
        return this.#emulator.destroy();
    }
}
