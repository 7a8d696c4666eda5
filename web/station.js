// SPDX-License-Identifier: BSD-2-Clause
// The page as a station on the guest's Ethernet. It answers ARP, pings, asks by UDP, and sends bursts.

import {
    ARP, BROADCAST, ETHERTYPE, ICMP, PROTOCOL, Reassembly, arp, ethernet, icmpEcho, ipv4, parseArp,
    parseEthernet, parseIcmpEcho, parseIpv4, parseUdp, udp,
} from "./wire.js";

const NO_MAC = [0, 0, 0, 0, 0, 0];
const IDENTIFIER = 0x7674; // of our pings
const PING_DATA = new Uint8Array(56);
const FIRST_PORT = 49152; // of those for clients
const PORTS = 1024;

const sameAddress = (a, b) => a.join() === b.join();

export class Station {
    #mac;
    #address;
    #send;
    #neighbours = new Map(); // address as text: MAC address
    #waiting = new Map();    // what for, as text: the function that takes it
    #reassembly = new Reassembly();
    #sequence = 0;
    #port = 0;

    // send(frame) puts a frame on the wire; what comes from there is for receive().
    constructor(mac, address, send) {
        this.#mac = mac;
        this.#address = address;
        this.#send = send;
    }

    receive(bytes) {
        const frame = parseEthernet(bytes);
        if (frame?.type === ETHERTYPE.ARP) {
            this.#receiveArp(frame);
        } else if (frame?.type === ETHERTYPE.IPV4) {
            this.#receiveIpv4(frame);
        }
    }

    // Resolves with the milliseconds until the answer came, or null without one.
    async ping(address, timeout = 1000) {
        const mac = await this.#resolve(address, timeout);
        const sequence = this.#sequence = this.#sequence + 1 & 0xffff;
        const started = performance.now();
        const answer = this.#wait(`echo ${sequence}`, timeout);
        this.#sendIpv4(mac, address, PROTOCOL.ICMP,
                       icmpEcho(ICMP.ECHO, IDENTIFIER, sequence, PING_DATA));
        return await answer && performance.now() - started;
    }

    // Resolves with the data of the datagram that answers this one, or null.
    async ask(address, port, data, timeout = 500) {
        const mac = await this.#resolve(address, timeout);
        const own = FIRST_PORT + this.#port;
        this.#port = (this.#port + 1) % PORTS;
        const answer = this.#wait(`udp ${own}`, timeout);
        this.#sendIpv4(mac, address, PROTOCOL.UDP, udp(own, port, data));
        return answer;
    }

    // Sends so many datagrams to the port, all at once.
    async burst(address, port, count, size) {
        const mac = await this.#resolve(address, 1000);
        const frame = this.#frame(mac, address, PROTOCOL.UDP,
                                  udp(FIRST_PORT, port, new Uint8Array(size)));
        for (let i = 0; i < count; i++) {
            this.#send(frame);
        }
    }

    #wait(what, timeout) {
        return new Promise(resolve => {
            const timer = setTimeout(() => this.#arrived(what, null), timeout);
            this.#waiting.set(what, result => {
                clearTimeout(timer);
                resolve(result);
            });
        });
    }

    #arrived(what, result) {
        const take = this.#waiting.get(what);
        this.#waiting.delete(what);
        take?.(result);
    }

    // The broadcast address where nobody answers: then the frame is lost as on any Ethernet.
    async #resolve(address, timeout) {
        const known = this.#neighbours.get(address.join());
        if (known) {
            return known;
        }
        const answer = this.#wait(`arp ${address}`, timeout);
        this.#sendArp(ARP.REQUEST, BROADCAST, NO_MAC, address);
        return await answer ?? BROADCAST;
    }

    #receiveArp({ source, payload }) {
        const packet = parseArp(payload);
        if (!packet) {
            return;
        }
        if (packet.operation === ARP.REPLY) {
            this.#neighbours.set(packet.sender.join(), packet.senderMac);
            this.#arrived(`arp ${packet.sender}`, packet.senderMac);
        } else if (packet.operation === ARP.REQUEST && sameAddress(packet.target, this.#address)) {
            this.#sendArp(ARP.REPLY, source, packet.senderMac, packet.sender);
        }
    }

    #receiveIpv4({ source, payload }) {
        const fragment = parseIpv4(payload);
        if (!fragment || !sameAddress(fragment.destination, this.#address)) {
            return;
        }
        const packet = this.#reassembly.add(fragment);
        if (packet?.protocol === PROTOCOL.ICMP) {
            this.#receiveEcho(source, packet);
        } else if (packet?.protocol === PROTOCOL.UDP) {
            const datagram = parseUdp(packet);
            if (datagram) {
                this.#arrived(`udp ${datagram.destination}`, datagram.data);
            }
        }
    }

    #receiveEcho(mac, packet) {
        const echo = parseIcmpEcho(packet.payload);
        if (echo?.type === ICMP.ECHO) {
            this.#sendIpv4(mac, packet.source, PROTOCOL.ICMP,
                           icmpEcho(ICMP.ECHO_REPLY, echo.identifier, echo.sequence, echo.data));
        } else if (echo?.type === ICMP.ECHO_REPLY && echo.identifier === IDENTIFIER) {
            this.#arrived(`echo ${echo.sequence}`, true);
        }
    }

    #sendArp(operation, destination, targetMac, target) {
        this.#send(ethernet(destination, this.#mac, ETHERTYPE.ARP,
                            arp(operation, this.#mac, this.#address, targetMac, target)));
    }

    #frame(mac, address, protocol, payload) {
        return ethernet(mac, this.#mac, ETHERTYPE.IPV4,
                        ipv4(this.#address, address, protocol, payload));
    }

    #sendIpv4(mac, address, protocol, payload) {
        this.#send(this.#frame(mac, address, protocol, payload));
    }
}
